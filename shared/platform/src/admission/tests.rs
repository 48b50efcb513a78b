use super::*;
use futures::FutureExt as _;

const FAR: Duration = Duration::from_secs(3_600);

fn admission(running: usize, waiting: usize) -> Arc<Admission> {
    let metrics = Metrics::register(&prometheus::Registry::new()).unwrap();
    Admission::new(
        "booking",
        &DispatcherConfig { running, running_at_first: 16, waiting, standing_ms: 2_000 },
        &metrics,
    )
}

fn asked(subject: &'static str, priority: Priority) -> Asked {
    Asked { subject, priority }
}

fn read(subject: &'static str) -> Asked {
    asked(subject, Priority::Read)
}

fn place(admission: &Arc<Admission>, asked: Asked) -> Option<Place> {
    match admission.enter(asked, Instant::now()) {
        Entry::Place(place) => Some(place),
        Entry::Waiting(_) | Entry::Refused => None,
    }
}

fn waiting(admission: &Arc<Admission>, asked: Asked, now: Instant) -> Waiting {
    match admission.enter(asked, now) {
        Entry::Waiting(waiting) => waiting,
        Entry::Place(_) | Entry::Refused => panic!("{asked:?} does not wait"),
    }
}

fn numbers(admission: &Admission) -> (i64, i64) {
    (admission.running.get(), admission.waiting.get())
}

/// None: it waits still.
fn outcome(waiting: &mut Waiting) -> Option<Grant> {
    (&mut waiting.granted).now_or_never().map(Result::unwrap)
}

#[test]
fn no_operation_has_all_places() {
    let admission = admission(8, 100);
    let mut places: Vec<Place> = (0..6).filter_map(|_| place(&admission, read("a"))).collect();
    assert_eq!(places.len(), 6);
    let mut next_of_a = waiting(&admission, read("a"), Instant::now());
    places.extend((0..2).filter_map(|_| place(&admission, read("b"))));
    let mut next_of_b = waiting(&admission, read("b"), Instant::now());
    assert_eq!(numbers(&admission), (8, 2));
    // A place of b's is free: the first who waits has its six.
    places.pop();
    assert_eq!((outcome(&mut next_of_a), outcome(&mut next_of_b)), (None, Some(Grant::Place)));
    places.remove(0);
    assert_eq!(outcome(&mut next_of_a), Some(Grant::Place));
}

#[test]
fn the_more_urgent_goes_first_and_critical_requests_have_a_reserve() {
    let admission = admission(8, 100);
    let mut places: Vec<Place> = (0..6).filter_map(|_| place(&admission, read("a"))).collect();
    places.extend((0..2).filter_map(|_| place(&admission, read("b"))));
    let now = Instant::now();
    let mut queue = [Priority::Background, Priority::Read, Priority::Change]
        .map(|priority| waiting(&admission, asked("c", priority), now));
    let _reserved = place(&admission, asked("c", Priority::Critical)).unwrap();
    let mut critical = waiting(&admission, asked("c", Priority::Critical), now);
    places.pop();
    assert_eq!(outcome(&mut critical), Some(Grant::Place));
    places.pop();
    // The reserve is for critical requests alone.
    assert_eq!(queue.each_mut().map(outcome), [None, None, None]);
    for urgent in [2, 1, 0] {
        places.pop();
        assert_eq!(outcome(&mut queue[urgent]), Some(Grant::Place), "{urgent}");
    }
    assert_eq!(numbers(&admission), (8, 0));
}

#[test]
fn a_full_queue_refuses_the_least_urgent() {
    let admission = admission(1, 2);
    let _running = place(&admission, read("a")).unwrap();
    let now = Instant::now();
    let mut first = waiting(&admission, asked("a", Priority::Background), now);
    let mut second = waiting(&admission, asked("a", Priority::Background), now);
    assert!(matches!(admission.enter(asked("a", Priority::Background), now), Entry::Refused));
    let mut change = waiting(&admission, asked("a", Priority::Change), now);
    assert_eq!((outcome(&mut first), outcome(&mut second)), (None, Some(Grant::Nothing)));
    let mut another = waiting(&admission, asked("a", Priority::Change), now);
    assert_eq!((outcome(&mut first), outcome(&mut change), outcome(&mut another)), (Some(Grant::Nothing), None, None));
    assert!(matches!(admission.enter(asked("a", Priority::Change), now), Entry::Refused));
    assert!(matches!(admission.enter(read("a"), now), Entry::Refused));
}

#[test]
fn where_the_queue_stands_who_has_waited_long_is_turned_away_unless_it_is_critical() {
    let admission = admission(1, 1_000);
    let mut running = place(&admission, read("a"));
    let start = Instant::now();
    let long_ago = |ms: u64| start.checked_sub(Duration::from_millis(ms)).unwrap();
    let mut reads: Vec<Waiting> = (0..4).map(|_| waiting(&admission, read("a"), long_ago(300))).collect();
    let mut background = waiting(&admission, asked("a", Priority::Background), long_ago(300));
    let mut critical = waiting(&admission, asked("a", Priority::Critical), long_ago(300));
    for queue in &mut admission.lock().queues {
        queue.delay = QueueDelay::new(Duration::from_secs(2));
        queue.delay.saw(Duration::from_millis(300), long_ago(2_100));
        queue.delay.saw(Duration::from_millis(300), long_ago(50));
    }
    running.take();
    // The last of each kind may have the next place: it is better used than left empty.
    let reads = reads.iter_mut().map(outcome).collect::<Vec<_>>();
    assert_eq!(reads, [Some(Grant::Nothing), Some(Grant::Nothing), Some(Grant::Nothing), None]);
    assert_eq!((outcome(&mut background), outcome(&mut critical)), (None, Some(Grant::Place)));
    assert_eq!(numbers(&admission), (1, 2));
}

#[test]
fn one_operation_that_finds_room_says_nothing_of_those_who_wait_behind_another() {
    let admission = admission(8, 1_000);
    let _busy: Vec<Place> = (0..6).map(|_| place(&admission, read("a")).unwrap()).collect();
    let now = Instant::now();
    let _waits = waiting(&admission, read("a"), now);
    let long_ago = now.checked_sub(Duration::from_millis(2_100)).unwrap();
    {
        let mut places = admission.lock();
        let queue = places.queue(Priority::Read);
        queue.delay = QueueDelay::new(Duration::from_secs(2));
        queue.delay.saw(Duration::from_millis(300), long_ago);
        queue.delay.saw(Duration::from_millis(300), now);
    }
    let _other = place(&admission, read("b")).unwrap();
    let (waited, later) = (Duration::from_millis(300), now + Duration::from_millis(2_100));
    let mut places = admission.lock();
    let delay = &mut places.queue(Priority::Read).delay;
    delay.saw(waited, later);
    assert!(delay.is_too_long(waited, later));
}

#[tokio::test]
async fn whoever_gives_up_leaves_its_place_to_the_next_one() {
    let admission = admission(1, 100);
    let running = place(&admission, read("a")).unwrap();
    let now = Instant::now();
    let gives_up = waiting(&admission, read("a"), now);
    let next = waiting(&admission, read("a"), now);
    let too_late = waiting(&admission, read("a"), now);
    drop(gives_up);
    assert_eq!(numbers(&admission), (1, 2));
    assert_eq!(too_late.place(now).await.err(), Some(Turned::Late));
    assert_eq!(numbers(&admission), (1, 1));
    drop(running);
    let granted_and_not_taken = next;
    assert_eq!(numbers(&admission), (1, 0));
    drop(granted_and_not_taken);
    assert_eq!(numbers(&admission), (0, 0));
    let running = place(&admission, read("a")).unwrap();
    let next = waiting(&admission, read("a"), now);
    drop(running);
    let _place = next.place(Instant::now() + FAR).await.ok().unwrap();
    assert_eq!(numbers(&admission), (1, 0));
}
