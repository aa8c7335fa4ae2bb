//! Where a server of PostgreSQL is, how it must prove who it is, and what is said when it cannot.

use std::{borrow::Cow, error::Error as _, fs, net::IpAddr, path::Path, str::FromStr as _};

use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use sqlx::{
    Error,
    postgres::{PgConnectOptions, PgSslMode},
};

use crate::adapters::sql::fault::{Fault, FaultKind};

/// What the driver knows of an address's query. All else would go to the log with its value, which may be a secret.
const KNOWN: [&str; 16] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "options",
];

pub(super) struct Address {
    pub(super) options: PgConnectOptions,
    /// Why the line is not safe, where the address wants it so.
    pub(super) unsafe_because: Option<String>,
}

impl Address {
    /// Beyond this machine the certificate and the name are verified, unless the address says otherwise; so they are on
    /// this machine where an authority is named.
    pub(super) fn read(url: &str, authority: Option<&Path>) -> Result<Self, String> {
        let not_understood = |error: &dyn std::fmt::Display| format!("the address is not understood: {error}");
        let mut url = reqwest::Url::parse(url).map_err(|error| not_understood(&error))?;
        let pairs: Vec<(String, String)> = url.query_pairs().map(|(name, value)| (name.into(), value.into())).collect();
        let given = |names: &[&str]| {
            let mut found = pairs.iter().filter(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| value.as_str());
            found.next_back()
        };
        // libpq's word for the authorities that everybody trusts; they are the driver's own.
        let root = given(&["sslrootcert", "ssl-root-cert", "ssl-ca"]).filter(|root| *root != "system");
        let mode = given(&["sslmode", "ssl-mode"]);
        let kept = pairs.iter().filter(|(name, value)| {
            (KNOWN.contains(&name.as_str()) || name.starts_with("options[")) && !(name.starts_with("ssl") && value == "system")
        });
        let kept: Vec<_> = kept.collect();
        url.set_query(None);
        if !kept.is_empty() {
            url.query_pairs_mut().extend_pairs(kept);
        }
        let mut options = PgConnectOptions::from_str(url.as_str()).map_err(|error| not_understood(&error))?;
        if let Some(file) = authority.or(root.map(Path::new)) {
            options = options.ssl_root_cert_from_pem(authorities(file)?);
        }
        let has_authority = authority.is_some() || root.is_some();
        let is_near = is_near(&options);
        let mode = match (mode, options.get_ssl_mode()) {
            (None, _) if is_near && !has_authority => PgSslMode::Prefer,
            // The driver's own default falls back to plain text without a word.
            (None, _) => PgSslMode::VerifyFull,
            // An authority is not named for nothing. libpq would not ask for the name then, but it trusts that authority
            // alone; the driver trusts the public ones beside it, and those sign for anybody.
            (Some(_), PgSslMode::Require) if has_authority => PgSslMode::VerifyFull,
            (Some(_), told) => told,
        };
        let host = options.get_host();
        let unsafe_because = match mode {
            PgSslMode::VerifyFull => None,
            PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer | PgSslMode::Require | PgSslMode::VerifyCa if is_near => {
                None
            }
            PgSslMode::VerifyCa => Some(format!(
                "the line to {host} is encrypted, but whoever has a certificate of any public authority can pose as the server: \
                 `sslmode=verify-ca` does not ask for its name; say `verify-full`"
            )),
            PgSslMode::Require => Some(format!(
                "the line to {host} is encrypted, but whoever stands between can pose as the server: `sslmode=require` verifies nothing"
            )),
            PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer => Some(format!(
                "the line to {host} may be read and changed by whoever stands between: its `sslmode` does not ask for TLS"
            )),
        };
        Ok(Self { options: options.ssl_mode(mode), unsafe_because })
    }
}

/// The certificates in a file.
fn authorities(file: &Path) -> Result<Vec<u8>, String> {
    let shown = file.display();
    let pem =
        fs::read(file).map_err(|error| format!("the file {shown} with the authority's certificate cannot be read: {error}"))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(pem),
        Ok(_) | Err(_) => Err(format!("the file {shown} holds no certificate (`-----BEGIN CERTIFICATE-----`)")),
    }
}

/// This machine, or a socket on it.
fn is_near(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || Path::new(host).is_absolute()
        || host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Why no line came about, and what to try.
pub(super) fn refused(error: &Error, options: &PgConnectOptions) -> Fault {
    let unreachable = |said: String| Fault::new(FaultKind::Unreachable, said);
    if let Some(error) = of_tls(error) {
        return unreachable(format!("no safe line: {}", certificate(error, options.get_host())));
    }
    match error {
        Error::Tls(why) if why.to_string().contains("does not support TLS") => unreachable(
            "no safe line: the server speaks no TLS; switch it on there (`ssl = on`), or, where the way to it is safe by itself \
             (a tunnel), say `sslmode=disable` in the address"
                .to_owned(),
        ),
        Error::Io(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => {
            unreachable("it hung up while it was being greeted; is it PostgreSQL, and may this machine come in?".to_owned())
        }
        Error::Protocol(why) => Fault::new(
            FaultKind::Malformed,
            format!("what answers there is not PostgreSQL ({why}); are the host and the port right?"),
        ),
        _ => Fault::connecting(error),
    }
}

fn of_tls(error: &Error) -> Option<&rustls::Error> {
    match error {
        Error::Io(io) => io.get_ref().and_then(|inner| inner.downcast_ref()),
        Error::Tls(_) => error.source().and_then(|inner| inner.downcast_ref()),
        _ => None,
    }
}

const OTHER_NAME: &str = "write the host in the address as the certificate has it, or, where it bears no name that leads there, \
     say sslmode=verify-ca";

fn certificate(error: &rustls::Error, host: &str) -> Cow<'static, str> {
    use rustls::{CertificateError as Wrong, Error as Tls};
    match error {
        Tls::InvalidCertificate(Wrong::NotValidForNameContext { presented, .. }) => {
            let names = presented.iter().map(|name| name.trim_start_matches("DnsName(").trim_matches([')', '"'])).collect::<Vec<_>>();
            let names = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
            format!("its certificate is for {names} and not for `{host}`; {OTHER_NAME}").into()
        }
        Tls::InvalidCertificate(Wrong::NotValidForName) => {
            format!("its certificate is not for `{host}`; {OTHER_NAME}").into()
        }
        Tls::InvalidCertificate(Wrong::UnknownIssuer) => "its certificate is signed by an authority that is not known here; get the \
             authority's certificate from whoever runs the server, and name its file: `ca_file` in the pack, or `sslrootcert` in the address"
            .into(),
        Tls::InvalidCertificate(Wrong::Expired | Wrong::ExpiredContext { .. }) => {
            "its certificate has run out; whoever runs the server must renew it (or this machine's clock is wrong)".into()
        }
        Tls::InvalidCertificate(Wrong::NotValidYet | Wrong::NotValidYetContext { .. }) => {
            "its certificate is not valid yet; this machine's clock may be wrong".into()
        }
        Tls::InvalidCertificate(Wrong::Other(why)) if why.to_string().contains("CaUsedAsEndEntity") => {
            "its certificate is an authority's own (CA:TRUE), which signs others and proves nobody; give the server one of its own".into()
        }
        Tls::AlertReceived(alert) => format!("the server broke off the greeting ({alert:?}); does it want a certificate of ours?").into(),
        other => format!("{other}; check the server's certificate").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_must_prove_who_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let authority = directory.path().join("ca.pem");
        fs::write(&authority, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        let root = format!("sslrootcert={}", authority.display());
        for (url, expected, is_safe) in [
            ("postgres://a:b@db.example/d".to_owned(), PgSslMode::VerifyFull, true),
            ("postgres://a:b@10.0.0.7/d?connect_timeout=3".to_owned(), PgSslMode::VerifyFull, true),
            ("postgres://a:b@db.example/d?sslrootcert=system".to_owned(), PgSslMode::VerifyFull, true),
            ("postgres://a:b@db.example/d?sslmode=require".to_owned(), PgSslMode::Require, false),
            (format!("postgres://a:b@db.example/d?sslmode=require&{root}"), PgSslMode::VerifyFull, true),
            (format!("postgres://a:b@db.example/d?sslmode=verify-ca&{root}"), PgSslMode::VerifyCa, false),
            ("postgres://a:b@db.example/d?sslmode=verify-ca".to_owned(), PgSslMode::VerifyCa, false),
            (format!("postgres://a:b@localhost/d?sslmode=verify-ca&{root}"), PgSslMode::VerifyCa, true),
            ("postgres://a:b@db.example/d?sslmode=disable".to_owned(), PgSslMode::Disable, false),
            ("postgres://a:b@db.example/d?sslmode=prefer".to_owned(), PgSslMode::Prefer, false),
            ("postgres://a:b@127.0.0.1/d".to_owned(), PgSslMode::Prefer, true),
            ("postgres://a:b@[::1]/d".to_owned(), PgSslMode::Prefer, true),
            ("postgres://a:b@localhost/d".to_owned(), PgSslMode::Prefer, true),
            (format!("postgres://a:b@localhost/d?{root}"), PgSslMode::VerifyFull, true),
            ("postgres://a:b@%2Fvar%2Frun/d".to_owned(), PgSslMode::Prefer, true),
            ("postgres://a:b@localhost/d?host=db.example".to_owned(), PgSslMode::VerifyFull, true),
        ] {
            let address = Address::read(&url, None).unwrap();
            assert_eq!(format!("{:?}", address.options.get_ssl_mode()), format!("{expected:?}"), "{url}");
            assert_eq!(address.unsafe_because.is_none(), is_safe, "{url}");
        }
        let near = Address::read("postgres://a:b@localhost/d", Some(&authority)).unwrap();
        assert!(matches!(near.options.get_ssl_mode(), PgSslMode::VerifyFull));
        let wanted = Address::read("postgres://a:b@db.example/d?sslmode=require", Some(&authority)).unwrap();
        assert!(matches!(wanted.options.get_ssl_mode(), PgSslMode::VerifyFull));
        assert_eq!(wanted.unsafe_because, None);
    }

    #[test]
    fn a_certificate_for_another_name_is_told_with_both_ways_out() {
        use rustls::{CertificateError as Wrong, Error as Tls};
        let presented = vec!["DnsName(\"db.internal\")".to_owned()];
        let expected = rustls::pki_types::ServerName::try_from("10.0.0.7").unwrap();
        for wrong in [Wrong::NotValidForName, Wrong::NotValidForNameContext { expected, presented }] {
            let said = certificate(&Tls::InvalidCertificate(wrong), "10.0.0.7");
            assert!(said.contains("not for `10.0.0.7`; write the host in the address as the certificate has it"), "{said}");
            assert!(said.ends_with("or, where it bears no name that leads there, say sslmode=verify-ca"), "{said}");
        }
    }

    #[test]
    fn an_authority_that_is_not_there_or_is_none_is_told_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("ca.pem");
        let said = |file: &Path| Address::read("postgres://a@db.example/d", Some(file)).err().unwrap();
        assert!(said(&file).contains("cannot be read"), "{}", said(&file));
        fs::write(&file, "not one").unwrap();
        assert!(said(&file).ends_with("holds no certificate (`-----BEGIN CERTIFICATE-----`)"), "{}", said(&file));
    }

    #[test]
    fn what_the_driver_does_not_know_is_kept_from_it() {
        let url = "postgres://a:b@db.example:6543/d?pgbouncer=true&sslpassword=canary&channel_binding=require&options=-c%20a%3Db";
        let address = Address::read(url, None).unwrap();
        assert_eq!((address.options.get_port(), address.options.get_options()), (6543, Some("-c a=b")));
    }
}
