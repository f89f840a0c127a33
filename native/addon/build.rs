//! Link settings that Node-API modules need, and `-z nodelete`: threads may outlive the last environment.

fn main() {
    napi_build::setup();
}
