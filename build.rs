//! Embeds every file below `assets/packs`, so that an installed binary carries its built-in packs, and tells the linker
//! how to keep a release small in memory.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("assets/packs");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut code = String::from("&[\n");
    for pack in sorted(&root)? {
        let Some(name) = pack.file_name().and_then(|name| name.to_str()) else { continue };
        writeln!(code, "    BuiltIn {{ name: {name:?}, files: &[")?;
        for file in files_below(&pack)? {
            println!("cargo::rerun-if-changed={}", file.display());
            let path = file.strip_prefix(&pack)?.to_string_lossy().replace('\\', "/");
            writeln!(code, "        ({path:?}, include_str!({:?})),", file.display().to_string())?;
        }
        writeln!(code, "    ] }},")?;
    }
    code.push(']');
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("packs.rs"), code)?;
    keep_it_small()
}

/// What an ordinary visit runs lies side by side, and the program's own addresses are packed: both are a matter of
/// memory alone, and left out wherever the machine, its C library or the linker is another than we know.
fn keep_it_small() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=WHEELHOUSE_LINK_ORDER");
    let target = env::var("TARGET")?;
    if target != "x86_64-unknown-linux-gnu" || target != env::var("HOST")? || env::var("PROFILE")? != "release" {
        return Ok(());
    }
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let has_another_linker = ["mold", "gold", "wild", "linker="].iter().any(|word| flags.contains(word));
    if has_another_linker || env::var_os("RUSTC_LINKER").is_some() {
        return Ok(());
    }
    if unpacks_relocations() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    let order = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("assets/link-order.txt");
    println!("cargo::rerun-if-changed={}", order.display());
    if env::var("WHEELHOUSE_LINK_ORDER").is_ok_and(|how| how == "none") {
        return Ok(());
    }
    let mut script = String::from("SECTIONS\n{\n  .text.visit :\n  {\n");
    for prefix in fs::read_to_string(order)?.lines() {
        writeln!(script, "    *(.text.{prefix}* .text.unlikely.{prefix}*)")?;
    }
    script.push_str("  }\n}\nINSERT BEFORE .text;\n");
    let path = PathBuf::from(env::var("OUT_DIR")?).join("link-order.ld");
    fs::write(&path, script)?;
    println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", path.display());
    Ok(())
}

/// Whether this machine's C library is 2.36 or later: a megabyte less to read before the first line of `main`.
fn unpacks_relocations() -> bool {
    let Ok(said) = Command::new("getconf").arg("GNU_LIBC_VERSION").output() else { return false };
    let said = String::from_utf8_lossy(&said.stdout);
    let mut parts = said.trim().trim_start_matches("glibc ").split('.').map(str::parse::<u32>);
    matches!((parts.next(), parts.next()), (Some(Ok(2)), Some(Ok(36..))) | (Some(Ok(3..)), _))
}

fn sorted(directory: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut paths = fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    paths.sort();
    Ok(paths)
}

fn files_below(directory: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    for path in sorted(directory)? {
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}
