//! Google's tokens, by a service account's key or by what this machine has. Nothing is asked before the first look; nothing
//! here blocks a thread that others need, and no key, however wrong, ends in more than words.

use std::{
    collections::HashMap,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use gcp_auth::{
    ConfigDefaultCredentials, CustomServiceAccount, GCloudAuthorizedUser, MetadataServiceAccount, Token, TokenProvider,
};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, de::IgnoredAny};
use tokio::sync::{OnceCell, oneshot};

/// Where Google's own libraries look for a key.
const VARIABLE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
/// Only a machine of Google's answers there, and at once; anywhere else the name is unknown, or nobody answers.
const METADATA_LIMIT: Duration = Duration::from_secs(3);
/// A bigger file is no key.
const LARGEST_KEY: u64 = 64 * 1024;

/// Where tokens come from.
pub(super) struct Tokens {
    limit: Duration,
    provider: OnceCell<Provider>,
    /// The latest of each scope.
    known: Mutex<HashMap<&'static str, Arc<Token>>>,
}

#[derive(Clone)]
struct Provider {
    tokens: Arc<dyn TokenProvider>,
    account: String,
}

/// As much of a key as is judged before it is used.
#[derive(Deserialize)]
struct Credentials {
    #[serde(rename = "type")]
    kind: String,
    client_email: String,
    #[serde(rename = "private_key")]
    _pem: IgnoredAny,
    token_uri: String,
}

impl Tokens {
    /// A key is judged at once: what is wrong with it is told before anything is asked.
    pub(super) fn of_key(key: &SecretString, limit: Duration) -> Result<Self, String> {
        let provider = provider_of(key.expose_secret())?;
        Ok(Self { limit, provider: OnceCell::new_with(Some(provider)), known: Mutex::default() })
    }

    /// Google's default credentials of this machine, looked for when the first token is needed.
    pub(super) fn of_machine(limit: Duration) -> Self {
        Self { limit, provider: OnceCell::new(), known: Mutex::default() }
    }

    /// Whose tokens they are, once that is known.
    pub(super) fn account(&self) -> Option<&str> {
        self.provider.get().map(|provider| provider.account.as_str())
    }

    pub(super) async fn bearer(&self, scope: &'static str) -> Result<Arc<Token>, String> {
        if let Some(token) = self.lock().get(scope).filter(|token| !token.has_expired()) {
            return Ok(Arc::clone(token));
        }
        let limit = self.limit;
        let provider = self.provider.get_or_try_init(|| apart(limit, of_machine())).await?;
        let tokens = Arc::clone(&provider.tokens);
        let account = provider.account.clone();
        let token = apart(limit, async move {
            tokens
                .token(&[scope])
                .await
                .map_err(|error| format!("Google gave no token for {account} ({}); make a new key, or log in anew", said(&error)))
        })
        .await?;
        self.lock().insert(scope, Arc::clone(&token));
        Ok(token)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<&'static str, Arc<Token>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// On a thread of its own that nobody waits for beyond the limit: `gcloud` is a program, files are read, names looked up.
async fn apart<T: Send + 'static>(
    limit: Duration,
    work: impl Future<Output = Result<T, String>> + Send + 'static,
) -> Result<T, String> {
    let late = move || format!("no token of Google's within {} s", limit.as_secs_f64());
    let (tell, told) = oneshot::channel();
    let worker = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(tell.send(Err(format!("Google's credentials could not be looked for: {error}")))),
        };
        let answer = runtime.block_on(async { tokio::time::timeout(limit, work).await });
        // Whoever asked may have gone.
        drop(tell.send(answer.unwrap_or_else(|_| Err(late()))));
        // A name that is still being looked up holds nobody up.
        runtime.shutdown_background();
    };
    let begun = std::thread::Builder::new().name("google-credentials".to_owned()).spawn(worker);
    begun.map_err(|error| format!("Google's credentials could not be looked for: {error}"))?;
    match tokio::time::timeout(limit, told).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err("the search for Google's credentials ended before its time".to_owned()),
        Err(_) => Err(late()),
    }
}

fn provider_of(key: &str) -> Result<Provider, String> {
    let read: Credentials = serde_json::from_str(key).map_err(|error| {
        // The parser's words could hold a part of the key; its place does not.
        format!(
            "the credentials are no service account's key (JSON, at line {} column {}); Google's console makes one under \
             IAM, Service accounts, Keys",
            error.line(),
            error.column()
        )
    })?;
    if read.kind != "service_account" {
        return Err(format!(
            "the credentials are of the type `{}`, and a service account's key is needed; for a person's own login leave \
             `credentials_...` out and run `gcloud auth application-default login`",
            read.kind.chars().take(40).collect::<String>()
        ));
    }
    let is_address = Url::parse(&read.token_uri).is_ok_and(|url| {
        let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        url.scheme() == "https" || url.scheme() == "http" && is_here
    });
    // It becomes part of a request as it stands, where nothing else may be.
    let is_plain = read.token_uri.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/[]".contains(&byte));
    if !is_address || !is_plain {
        return Err("the `token_uri` in the credentials is no address over https".to_owned());
    }
    let tokens = CustomServiceAccount::from_json(key)
        .map_err(|error| format!("the private key in the credentials cannot be used ({}); make a new key", said(&error)))?;
    Ok(Provider { tokens: Arc::new(tokens), account: read.client_email })
}

/// In Google's own order: the variable, a login, the machine's own account, `gcloud`.
async fn of_machine() -> Result<Provider, String> {
    if let Some(path) = std::env::var_os(VARIABLE).map(PathBuf::from) {
        let key = read_key(&path).map_err(|why| format!("{VARIABLE} names {}: {why}", path.display()))?;
        return provider_of(key.expose_secret()).map_err(|why| format!("{VARIABLE} names {}: {why}", path.display()));
    }
    if let Ok(login) = ConfigDefaultCredentials::new().await {
        return Ok(Provider { tokens: Arc::new(login), account: "gcloud's application-default login".to_owned() });
    }
    if let Ok(Ok(machine)) = tokio::time::timeout(METADATA_LIMIT, MetadataServiceAccount::new()).await {
        return Ok(Provider { tokens: Arc::new(machine), account: "this machine's service account".to_owned() });
    }
    if let Ok(person) = GCloudAuthorizedUser::new().await {
        return Ok(Provider { tokens: Arc::new(person), account: "gcloud's login".to_owned() });
    }
    Err(format!(
        "no credentials of Google's were found on this machine; name a service account's key by `credentials_file` (or `_env`, \
         `_command`) in the pack, set {VARIABLE}, or run `gcloud auth application-default login`"
    ))
}

fn read_key(path: &std::path::Path) -> Result<SecretString, String> {
    use std::io::Read as _;
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    file.take(LARGEST_KEY).read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(SecretString::from(text))
}

/// Without the causes, which may repeat what was sent.
fn said(error: &gcp_auth::Error) -> String {
    match error {
        gcp_auth::Error::Io(what, cause) => format!("{what}: {}", cause.kind()),
        gcp_auth::Error::Json(what, _)
        | gcp_auth::Error::Http(what, _)
        | gcp_auth::Error::Other(what, _)
        | gcp_auth::Error::Str(what) => (*what).to_owned(),
        gcp_auth::Error::NoAuthMethod(..) => "no way to log in was found".to_owned(),
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("account", &self.account()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whatever_hangs_holds_nobody_up() {
        let limit = Duration::from_millis(50);
        // As a program that is waited for: it gives nothing else a turn.
        let hung = apart(limit, async {
            std::thread::park();
            Ok(())
        });
        assert_eq!(hung.await, Err("no token of Google's within 0.05 s".to_owned()));
        let slow = apart::<()>(limit, std::future::pending());
        assert_eq!(slow.await, Err("no token of Google's within 0.05 s".to_owned()));
        assert_eq!(apart(Duration::from_secs(30), async { Ok(7) }).await, Ok(7));
    }
}
