//! Maps Rust errors to the JavaScript error codes of `ts/errors/table.ts`.

use snowmesh_net::OpenError;

/// What `error.code` says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Code {
    /// An argument is of the wrong kind or outside its range.
    BadOption,
    /// Bytes are not a valid term.
    BadTerm,
    /// The cookie is missing or can be guessed.
    CookieWeak,
    /// The address cannot be listened on.
    Listen,
    /// The native core or the system failed.
    NativeFault,
    /// A node name breaks a naming rule.
    NodeName,
    /// The handle belongs to no open node.
    NoNode,
    /// The node has as many lanes as it can have.
    TooManyLanes,
    /// The table of node identities is full.
    TooManyNodes,
}

impl AsRef<str> for Code {
    fn as_ref(&self) -> &str {
        match self {
            Self::BadOption => "SNOW_ERR_BAD_OPTION",
            Self::BadTerm => "SNOW_ERR_BAD_TERM",
            Self::CookieWeak => "SNOW_ERR_COOKIE_WEAK",
            Self::Listen => "SNOW_ERR_LISTEN",
            Self::NativeFault => "SNOW_ERR_NATIVE_FAULT",
            Self::NodeName => "SNOW_ERR_NODE_NAME",
            Self::NoNode => "SNOW_ERR_NO_NODE",
            Self::TooManyLanes => "SNOW_ERR_TOO_MANY_LANES",
            Self::TooManyNodes => "SNOW_ERR_TOO_MANY_NODES",
        }
    }
}

/// An error with a code.
pub type Error = napi::Error<Code>;
/// What every export returns.
pub type Result<T> = std::result::Result<T, Error>;

/// The error with the code of its kind.
pub(crate) fn coded(error: &OpenError) -> Error {
    let code = match error {
        OpenError::BadOption(_) => Code::BadOption,
        OpenError::Cookie(_) => Code::CookieWeak,
        OpenError::Listen { .. } => Code::Listen,
        OpenError::Name(_) => Code::NodeName,
        OpenError::TooManyLanes { .. } => Code::TooManyLanes,
        OpenError::TooManyNodes { .. } => Code::TooManyNodes,
        OpenError::UnknownNode => Code::NoNode,
        _ => Code::NativeFault,
    };
    Error::new(code, error.to_string())
}

/// A Node-API call failed, or a caller passed something of the wrong kind.
pub(crate) fn fault(what: &str) -> Error {
    Error::new(Code::NativeFault, what.to_owned())
}

/// Runs the body of an export. A panic becomes an error with a code instead of ending the process.
pub(crate) fn guard<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(body))
        .unwrap_or_else(|_| Err(fault("the native core panicked; please report this")))
}

/// Runs a callback that the event loop calls: nothing may unwind into C.
pub(crate) fn guard_callback(body: impl FnOnce()) {
    // No caller could handle the panic, and the panic hook has printed where it was.
    drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)));
}
