use super::*;
use std::os::unix::fs::symlink;

const PEER: &str = "127.0.0.1:40000";
const LOCAL: &str = "127.0.0.1:4750";
const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  \
                    timeout inode\n";

/// A `/proc` made by hand.
struct Proc(tempfile::TempDir);

impl Proc {
    fn new() -> Self {
        let made = Self(tempfile::tempdir().expect("a folder"));
        made.write("uptime", "1000.50 3.00\n");
        made.write("net/tcp", HEAD);
        made.write("net/tcp6", HEAD);
        made
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    }

    /// One line from `PEER` to `LOCAL`, as the client's end is listed.
    fn connected(&self, state: &str, uid: u32, inode: u64) -> String {
        let line = format!(
            "   1: 0100007F:9C40 0100007F:128E {state} 00000000:00000000 00:00000000 00000000  \
             {uid}        0 {inode} 1 0000000000000000 20 4 30 10 -1\n"
        );
        self.write("net/tcp", &format!("{HEAD}{line}"));
        line
    }

    fn process(&self, pid: u32, (ids, cgroup): ((u32, u32), &str), begun: u64, holds: &[u64]) {
        let zeros = "0 ".repeat(18);
        self.write(&format!("{pid}/stat"), &format!("{pid} (a) b) S {zeros}{begun} 0 0\n"));
        let (uid, gid) = ids;
        let status = format!("Name:\ta\nUid:\t9\t{uid}\t9\t9\nGid:\t9\t{gid}\t9\t9\n");
        self.write(&format!("{pid}/status"), &status);
        self.write(&format!("{pid}/cgroup"), &format!("1:name=systemd:/x\n0::{cgroup}\n"));
        for (number, inode) in holds.iter().enumerate() {
            let path = self.0.path().join(format!("{pid}/fd"));
            fs::create_dir_all(&path).expect("made");
            symlink(format!("socket:[{inode}]"), path.join(number.to_string())).expect("linked");
        }
    }

    fn tcp(&self, look_inside: bool) -> Caller {
        let processes = Processes::new(self.0.path(), look_inside);
        processes.of_tcp(PEER.parse().expect("address"), LOCAL.parse().expect("address"))
    }

    fn unix(&self, pid: u32) -> Caller {
        let processes = Processes::new(self.0.path(), true);
        processes.of_unix((1000, 100), Some(pid), processes.now().expect("a time"))
    }
}

#[test]
fn addresses_are_read_as_the_kernel_writes_them() {
    for (text, expected) in [
        ("0100007F:1F90", Some("127.0.0.1:8080")),
        ("00000000000000000000000001000000:0050", Some("[::1]:80")),
        ("0000000000000000FFFF00000100007F:0050", Some("[::ffff:127.0.0.1]:80")),
        ("0100007F", None),
        ("0100007F:", None),
        ("0100007F:10000", None),
        ("01007F:0050", None),
        ("é100007:0050", None),
    ] {
        let expected = expected.map(|it| it.parse().expect("address"));
        assert_eq!(address(text), expected, "{text}");
    }
}

#[test]
fn the_table_of_connections_names_the_user() {
    let proc = Proc::new();
    assert_eq!(proc.tcp(false), Caller::default(), "of another host");
    for (state, inode, expected) in [("01", 7, Some(1000)), ("06", 0, None), ("08", 7, None)] {
        proc.connected(state, 1000, inode);
        assert_eq!(proc.tcp(false).uid, expected, "{state}");
    }
    let line = proc.connected("01", 1000, 7);
    proc.write("net/tcp", &format!("{HEAD}{line}{line}"));
    assert_eq!(proc.tcp(false).uid, Some(1000), "told twice, as when others come and go meanwhile");
    let other = line.replace(" 7 1 ", " 8 1 ");
    assert_ne!(other, line);
    proc.write("net/tcp", &format!("{HEAD}{line}{other}"));
    assert_eq!(proc.tcp(false), Caller::default(), "two are one too many");
    let mapped = line
        .replace("0100007F:9C40", "0000000000000000FFFF00000100007F:9C40")
        .replace("0100007F:128E", "0000000000000000FFFF00000100007F:128E");
    proc.write("net/tcp", HEAD);
    proc.write("net/tcp6", &format!("{HEAD}{mapped}"));
    assert_eq!(proc.tcp(false).uid, Some(1000), "mapped into IPv6");
    proc.write("net/tcp6", &format!("{HEAD}{}", line.replace(":128E", ":128F")));
    assert_eq!(proc.tcp(false), Caller::default(), "to another port");
}

#[test]
fn the_process_is_the_one_that_holds_the_socket() {
    let proc = Proc::new();
    proc.connected("01", 1000, 7);
    assert_eq!(proc.tcp(true).uid, Some(1000), "the user, though nobody is seen to hold it");
    proc.process(30, ((1000, 100), "/app"), 5, &[6, 7]);
    proc.process(31, ((1000, 101), "/other"), 5, &[8]);
    let expected =
        Caller { uid: Some(1000), gid: Some(100), cgroup: Some("/app".into()), pid: Some(30) };
    assert_eq!(proc.tcp(true), expected);

    proc.process(32, ((1000, 100), "/app"), 6, &[7]);
    assert_eq!(proc.tcp(true), Caller { pid: None, ..expected }, "two that are alike");
    proc.process(33, ((1000, 100), "/else"), 6, &[7]);
    assert_eq!(proc.tcp(true), Caller::default(), "two that differ");
}

#[test]
fn a_holder_of_another_user_is_not_who_connected() {
    let proc = Proc::new();
    proc.connected("01", 1000, 7);
    proc.process(30, ((0, 0), "/app"), 5, &[7]);
    assert_eq!(proc.tcp(true), Caller::default());
}

#[test]
fn a_number_that_another_process_has_now_tells_no_cgroup() {
    let proc = Proc::new();
    let known = Caller { uid: Some(1000), gid: Some(100), cgroup: None, pid: Some(30) };
    assert_eq!(proc.unix(30), known, "it has ended");
    for (ids, begun, expected) in [
        ((1000, 7), 100_050, Some("/app")),
        ((1000, 7), 100_051, None), // it started after the connection
        ((0, 7), 5, None),          // it is somebody else's
    ] {
        proc.process(30, (ids, "/app"), begun, &[]);
        let expected = expected.map(str::to_owned);
        assert_eq!(proc.unix(30), Caller { cgroup: expected, ..known.clone() }, "{ids:?} {begun}");
    }
}

#[test]
fn this_very_process_is_found_in_the_real_one() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let local = listener.local_addr().expect("bound");
    let client = std::net::TcpStream::connect(local).expect("connected");
    let caller = Processes::new(Path::new("/proc"), true)
        .of_tcp(client.local_addr().expect("connected"), local);
    assert_eq!(caller.uid, Some(rustix::process::geteuid().as_raw()));
    assert_eq!(caller.gid, Some(rustix::process::getegid().as_raw()));
    assert_eq!(caller.pid, Some(std::process::id()));
}
