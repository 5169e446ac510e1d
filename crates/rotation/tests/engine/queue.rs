//! What is begun when: bounds, turns, and servers that say nothing, by hand-moved time.

use base::{AccountId, Timestamp};
use secrets::rotation::Due;
use std::collections::BTreeMap;
use std::time::Duration;
use strongroom_rotation::{Bounds, Ended, Entry, Line, Queue};

const START: Timestamp = Timestamp::from_secs(1_769_853_600);

fn entry(account: u64, target: &str, number: usize) -> Entry {
    let account = AccountId::from_number(account).expect("twelve digits");
    let secret = serde_json::from_value(format!("{number:020}").into()).expect("an id");
    let due = Due { at: START, account, region: "us-east-1".parse().expect("valid"), secret };
    Entry { due, line: Line::Server(target.to_owned()), overdue: None }
}

fn host(entry: &Entry) -> &str {
    match &entry.line {
        Line::Function(name) | Line::Server(name) => name,
        Line::New => "",
    }
}

/// Everything that may begin at `now`.
fn begin(queue: &mut Queue, now: Timestamp) -> Vec<Entry> {
    std::iter::from_fn(|| queue.start(now)).collect()
}

#[test]
fn bounds_hold_for_servers_accounts_and_the_node() {
    let mut queue = Queue::new(Bounds { node: 5, server: 2, account: 3, ..Bounds::default() });
    for number in 0..20 {
        queue.offer(entry(1, "one", number));
        queue.offer(entry(1, "two", 100 + number));
        queue.offer(entry(2, "two", 200 + number));
    }
    queue.offer(entry(1, "one", 0));
    assert_eq!(queue.len(), 60, "nothing is taken twice");
    let begun = begin(&mut queue, START);
    let count = |of: &dyn Fn(&Entry) -> String| {
        let mut counts = BTreeMap::new();
        for it in &begun {
            *counts.entry(of(it)).or_insert(0) += 1;
        }
        counts
    };
    assert!(count(&|it| format!("{:?}", it.line)).values().all(|it| *it <= 2));
    assert!(count(&|it| it.due.account.to_string()).values().all(|it| *it <= 3));
    assert_eq!((begun.len(), queue.running()), (4, 4), "two servers, two each");
    queue.end(&begun[0], Ended::Answered, START);
    assert_eq!(begin(&mut queue, START).len(), 1);
    assert_eq!(queue.len(), 59);
}

#[test]
fn a_server_that_says_nothing_is_left_alone_for_longer_and_longer() {
    let mut queue = Queue::new(Bounds::default());
    assert!((0..30).all(|it| queue.offer(entry(1, "dead", it))));
    let mut now = START;
    for pause in [30, 60, 120, 240, 480, 600, 600] {
        // The third failure in a row shuts it; then one at a time asks.
        loop {
            let begun = begin(&mut queue, now);
            if begun.is_empty() {
                break;
            }
            for it in &begun {
                queue.end(it, Ended::Unreachable, now);
            }
        }
        let reopens = queue.reopens(now).expect("shut");
        assert_eq!(reopens.since(now), Duration::from_secs(pause));
        assert!(begin(&mut queue, reopens.minus(Duration::from_millis(1))).is_empty());
        now = reopens;
    }
    let asked = begin(&mut queue, now);
    assert_eq!(asked.len(), 1);
    queue.end(&asked[0], Ended::Answered, now);
    assert_eq!(begin(&mut queue, now).len(), 2, "it answers: all is as before");
}

/// Five thousand due in one minute against fifty servers of which two hang: nobody else is late.
#[test]
fn two_hanging_servers_hold_up_nobody_else() {
    const HANG: Duration = Duration::from_secs(5);
    const WORK: Duration = Duration::from_millis(60);
    const HANGING: [&str; 2] = ["host-0", "host-1"];
    let mut queue = Queue::new(Bounds::default());
    for number in 0..5_000_usize {
        let account = 1 + number as u64 % 40;
        queue.offer(entry(account, &format!("host-{}", number % 50), number));
    }
    let (mut now, mut running, mut last, mut most) = (START, BTreeMap::new(), START, 0);
    let mut healthy = 0;
    while healthy < 4_800 {
        for begun in begin(&mut queue, now) {
            let hangs = HANGING.contains(&host(&begun));
            let end = now.plus(if hangs { HANG } else { WORK });
            running.insert((end, begun.due.secret.clone()), begun);
        }
        most = most.max(running.len());
        let Some((key, ended)) = running.pop_first() else { panic!("all stand still") };
        now = key.0;
        let hangs = HANGING.contains(&host(&ended));
        queue.end(&ended, if hangs { Ended::Unreachable } else { Ended::Answered }, now);
        if !hangs {
            (healthy, last) = (healthy + 1, now);
        }
    }
    // 4,800 of 60 ms each in at most 64 places.
    let took = last.since(START);
    assert!(took < Duration::from_secs(15), "{took:?}");
    assert!(most <= 64);
}

/// A value put by hand while a rotation runs makes a new row of the same secret: it waits for the end.
#[test]
fn one_thing_at_a_time_is_done_to_a_secret() {
    let mut queue = Queue::new(Bounds::default());
    let first = entry(1, "one", 7);
    queue.offer(first.clone());
    assert_eq!(begin(&mut queue, START), std::slice::from_ref(&first));
    let mut again = first.clone();
    again.due.at = START.plus(Duration::from_secs(1));
    queue.offer(again.clone());
    assert!(queue.knows(&again.due) && begin(&mut queue, START).is_empty());
    queue.end(&first, Ended::Answered, START);
    queue.offer(again.clone());
    assert_eq!(begin(&mut queue, START), [again]);
}

/// What one account says of a server is no word about another's way there.
#[test]
fn an_account_shuts_a_server_for_itself_only() {
    let mut queue = Queue::new(Bounds::default());
    for number in 0..20 {
        queue.offer(entry(1, "shared", number));
        queue.offer(entry(2, "shared", 100 + number));
    }
    for _ in 0..20 {
        for it in begin(&mut queue, START) {
            let mine = it.due.account.to_string().ends_with('1');
            queue.end(&it, if mine { Ended::Unreachable } else { Ended::Answered }, START);
        }
    }
    assert_eq!((queue.waiting(), queue.shut(START)), (17, 1), "the first has asked three times");
    assert!(queue.reopens(START).is_some());
}

/// The clock was a month ahead when a server didn't answer, and is set right.
#[test]
fn a_clock_that_is_set_back_shuts_no_server_for_a_month() {
    let mut queue = Queue::new(Bounds::default());
    assert!((0..9).all(|it| queue.offer(entry(1, "dead", it))));
    let ahead = START.plus(Duration::from_hours(24 * 30));
    for _ in 0..3 {
        for it in begin(&mut queue, ahead) {
            queue.end(&it, Ended::Unreachable, ahead);
        }
    }
    assert!(begin(&mut queue, ahead).is_empty());
    assert_eq!(begin(&mut queue, START).len(), 1, "asked by one at a time");
}

/// The places to wait are bounded, and who came first doesn't have them all.
#[test]
fn whoever_has_most_places_gives_some_up() {
    let bounds = Bounds { waiting: 100, ..Bounds::default() };
    let mut queue = Queue::new(bounds);
    let offered = |queue: &mut Queue, account, host: &str, from: usize| {
        let all: Vec<_> = (from..from + 200).map(|it| entry(account, host, it)).collect();
        let whole = all.iter().filter(|it| queue.offer((*it).clone())).count();
        // Who is sent back for another has to be read again, too.
        assert_eq!(whole, if from == 0 { 100 } else { 0 });
        all.iter().filter(|it| queue.knows(&it.due)).count()
    };
    assert_eq!(offered(&mut queue, 1, "dead", 0), 100, "all places, as nobody else wants one");
    assert_eq!(offered(&mut queue, 1, "dead", 500), 0);
    assert_eq!(offered(&mut queue, 1, "well", 1000), 50, "its other server has half of them");
    assert_eq!(offered(&mut queue, 2, "dead", 2000), 50, "another account has half of them");
    assert_eq!(offered(&mut queue, 3, "dead", 3000), 33);
    assert_eq!(queue.waiting(), 100);
    // What is under way holds no place to wait.
    let begun = begin(&mut queue, START);
    assert!(begun.len() >= 4 && queue.waiting() == 100 - begun.len());
    let accounts = begun.iter().map(|it| it.due.account.clone());
    assert_eq!(accounts.collect::<std::collections::BTreeSet<_>>().len(), 2, "two at \"dead\"");
}

/// What waits behind a server that is down is told to be overdue once, without its turn having come.
#[test]
fn what_waits_is_told_to_be_overdue_once() {
    let mut queue = Queue::new(Bounds { server: 1, waiting: 3, ..Bounds::default() });
    for number in 0..3 {
        let overdue = Some(START.plus(Duration::from_secs(number as u64)));
        assert!(queue.offer(Entry { overdue, ..entry(1, "dead", number) }));
    }
    assert_eq!(begin(&mut queue, START).len(), 1, "whoever begins tells it");
    assert_eq!(queue.tells(), Some(START.plus(Duration::from_secs(1))));
    let later = START.plus(Duration::from_secs(9));
    assert_eq!(queue.overdue(later).len(), 2);
    assert_eq!((queue.overdue(later).len(), queue.tells()), (0, None));
}
