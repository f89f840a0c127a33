//! PIDs: how their parts are packed, and how they are shown.

use serde_json::{Map, Value, json};
use snowmesh_core::Pid;
use snowmesh_core::pid::{MAX_SCHEDULER, SERIAL_MASK};

pub(crate) fn vectors() -> Map<String, Value> {
    let parts = [
        (0, 0, 0, 0),
        (0, 0, 0, 1),
        (0, 0, 1, 0),
        (0, 0, MAX_SCHEDULER, SERIAL_MASK),
        (1, 0, 0, 1),
        (1, 2, 3, 4),
        (0x8000, 0x80, 0x20, 1 << 33),
        (0xFFFF, 0xFF, MAX_SCHEDULER, SERIAL_MASK),
        (3, 1, 0, 0xFFFF_FFFF),
        (3, 1, 0, 0x1_0000_0000),
    ];
    let pids = parts.map(|(slot, creation, scheduler, serial)| {
        let pid = Pid::pack(slot, creation, scheduler, serial);
        json!({
            "bits": format!("{:#018x}", pid.bits()),
            "slot": slot, "creation": creation, "scheduler": scheduler, "serial": serial,
            "nc": pid.nc(), "local": pid.local(), "text": pid.to_string(),
        })
    });
    Map::from_iter([("pids".to_owned(), Value::from(pids.to_vec()))])
}
