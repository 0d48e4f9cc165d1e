//! Which processes listen on a port of this machine, from `/proc/net/tcp` and `tcp6` (`proc_pid_net(5)`) and the open files of processes. On Linux alone.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The state of a socket that listens.
const LISTENING: &str = "0A";
/// 127.0.0.1, every address, and both in version 6, as these files write them.
const LOOPBACK: [&str; 5] = [
    "0100007F",
    "00000000",
    "00000000000000000000000000000000",
    "00000000000000000000000001000000",
    "0000000000000000FFFF00000100007F",
];

/// Whether all that listen on this port of the loopback interface are among these processes; `None` where nobody can tell, or nobody listens.
pub fn are_among(proc: &Path, port: u16, pids: &[u32]) -> Option<bool> {
    let sockets: BTreeSet<u64> = ["net/tcp", "net/tcp6"]
        .iter()
        .filter_map(|name| fs::read_to_string(proc.join(name)).ok())
        .flat_map(|text| listening(&text, port))
        .collect();
    if sockets.is_empty() {
        return None;
    }
    let ours: BTreeSet<u64> = pids.iter().flat_map(|pid| sockets_of(proc, *pid)).collect();
    Some(sockets.is_subset(&ours))
}

/// The numbers of the sockets that listen on a port.
fn listening(text: &str, port: u16) -> Vec<u64> {
    let of_line = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (address, at) = fields.get(1)?.split_once(':')?;
        let is_it = fields.get(3) == Some(&LISTENING)
            && LOOPBACK.contains(&address)
            && u16::from_str_radix(at, 16) == Ok(port);
        is_it.then(|| fields.get(9)?.parse().ok()).flatten()
    };
    text.lines().skip(1).filter_map(of_line).collect()
}

/// The numbers of the sockets that a process has open; none of one that is gone or another user's.
fn sockets_of(proc: &Path, pid: u32) -> Vec<u64> {
    let files = fs::read_dir(proc.join(pid.to_string()).join("fd"))
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    let socket = |link: &Path| {
        let name = link.to_str()?.strip_prefix("socket:[")?;
        name.strip_suffix(']')?.parse().ok()
    };
    files
        .filter_map(|file| socket(&fs::read_link(file.path()).ok()?))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 71 1 0000 100 0 0 10 0
   1: 0100007F:1F90 0100007F:A000 01 00000000:00000000 00:00000000 00000000     0        0 72 1 0000 100 0 0 10 0
   2: 0A00000A:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 73 1 0000 100 0 0 10 0
   3: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 74 1 0000 100 0 0 10 0
";

    #[test]
    fn sockets_that_listen_on_the_port_are_found() {
        assert_eq!(listening(TABLE, 8_080), [71]);
        assert_eq!(listening(TABLE, 8_081), [74], "on every address");
        assert_eq!(listening("x\ny z\n", 8_080), [0; 0]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_port_of_this_process_is_its_own_and_nobody_else_s() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let proc = Path::new("/proc");
        assert_eq!(are_among(proc, port, &[std::process::id()]), Some(true));
        assert_eq!(are_among(proc, port, &[]), Some(false));
        drop(listener);
        assert_eq!(are_among(proc, port, &[std::process::id()]), None);
    }
}
