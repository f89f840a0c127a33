//! Writes the known-answer vectors that the Rust and the TypeScript implementation both read:
//! `cargo run -p snowmesh-core --example vectors`. Every value in them is fixed, so that a second run changes
//! nothing.

mod frames;
mod handshake;
mod names;
mod pids;
mod terms;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

fn main() -> std::io::Result<()> {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/vectors");
    let folder = std::env::args_os().nth(1).map_or(committed, PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    for (name, vectors) in [
        ("frames", frames::vectors()),
        ("handshake", handshake::vectors()),
        ("names", names::vectors()),
        ("pids", pids::vectors()),
        ("terms", terms::vectors()),
    ] {
        std::fs::write(folder.join(format!("{name}.json")), layout(&vectors))?;
    }
    Ok(())
}

/// One entry a line: such a file can be read, and a change shows what changed.
fn layout(vectors: &Map<String, Value>) -> String {
    let mut text = String::from("{\n");
    let mut comma = "";
    for (section, value) in vectors {
        let _ = write!(text, "{comma}  {}: ", Value::from(section.as_str()));
        match value {
            Value::Array(entries) if !entries.is_empty() => {
                let lines: Vec<_> = entries.iter().map(|entry| format!("    {entry}")).collect();
                let _ = write!(text, "[\n{}\n  ]", lines.join(",\n"));
            }
            other => {
                let _ = write!(text, "{other}");
            }
        }
        comma = ",\n";
    }
    text + "\n}\n"
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The variant's name without its fields.
fn error_name(error: &impl std::fmt::Debug) -> String {
    let text = format!("{error:?}");
    text.split(['(', ' ', '{']).next().unwrap_or_default().to_owned()
}
