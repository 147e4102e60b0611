//! Power cuts under the file of webhooks: after each there is what was acknowledged or the whole
//! of what was being written, so no message is left out.

use invoice_core::identity::MemberId;
use invoice_core::read::Spelled;
use tax_node::store::fault::{Dice, Disk};
use tax_node::store::{WEBHOOKS_FILE, WebhookChange, WebhookFile};
use webhooks::{
    Attempt, DELIVERIES_KEPT, Delivery, Endpoint, EndpointId, EndpointKey, EventPlace, Reason,
    Secret, Settings, Verdict,
};

fn key(id: &str) -> EndpointKey {
    EndpointKey {
        member: MemberId::spelled("11330000DEM0000012").unwrap(),
        id: EndpointId::parse(id).unwrap(),
    }
}

fn endpoint(id: &str) -> Endpoint {
    let settings = Settings {
        url: format!("https://{id}.example/hook"),
        events: None,
        description: None,
    };
    Endpoint::new(key(id), settings, "00".into(), Secret::new([1; 32]), 0, 0)
}

/// An attempt at the next event, good or not, as one transaction.
fn tried(endpoint: &Endpoint, open: Option<Delivery>, good: bool) -> (Endpoint, Delivery) {
    let mut endpoint = endpoint.clone();
    let number = endpoint.next_delivery;
    let place = EventPlace {
        height: number + 1,
        index: number,
        number: 0,
    };
    let message = match &open {
        Some(open) => open.message.clone(),
        None => format!("msg_{number}"),
    };
    let mut delivery = endpoint.delivery(open, message, "claim_locked".into(), place);
    let reason = (!good).then_some(Reason::TimedOut);
    let attempt = Attempt {
        at_ms: i64::try_from(number).unwrap(),
        duration_ms: 3,
        status: None,
        reason,
        answer: "x".repeat(usize::try_from(number % 900).unwrap()),
    };
    let verdict = reason.map_or(Verdict::Taken, |reason| Verdict::Failed {
        reason,
        retry_after_ms: None,
    });
    let generation = endpoint.generation;
    endpoint.tried(&mut delivery, attempt, verdict, generation, 0);
    (endpoint, delivery)
}

#[test]
fn a_power_cut_leaves_cursor_and_deliveries_of_one_moment() {
    let (mut cuts, mut lost) = (0, 0);
    for seed in 0..40 {
        let mut dice = Dice::new(seed);
        let disk = Disk::new(Vec::new());
        let mut file = WebhookFile::on(disk.backend()).unwrap();
        let mut now = endpoint("erp");
        file.commit(&[WebhookChange::Put(Box::new(now.clone()))])
            .unwrap();
        let mut newest: Option<Delivery> = None;
        for _ in 0..4 {
            disk.cut_after(dice.below(120));
            let (after, after_newest) = loop {
                let open = newest.clone().filter(|one| !one.delivered);
                let (next, delivery) = tried(&now, open, dice.below(3) > 0);
                let changes = [
                    WebhookChange::Put(Box::new(next.clone())),
                    WebhookChange::Deliver(next.key.clone(), Box::new(delivery.clone())),
                ];
                match file.commit(&changes) {
                    Ok(()) => (now, newest) = (next, Some(delivery)),
                    Err(_) => break (next, Some(delivery)),
                }
            };
            drop(file);
            disk.cut(&mut dice);
            cuts += 1;
            file = WebhookFile::on(disk.backend()).unwrap();
            let found = file.endpoints().unwrap().pop().unwrap();
            let found_newest = file.deliveries(&found.key, None, 1).unwrap().pop();
            let old = (&found, &found_newest) == (&now, &newest);
            let new = (&found, &found_newest) == (&after, &after_newest);
            assert!(old || new, "seed {seed}");
            lost += u32::from(old);
            (now, newest) = (found, found_newest);
            let kept = file.deliveries(&now.key, None, usize::MAX).unwrap();
            let numbers: Vec<u64> = kept.iter().rev().map(|one| one.number).collect();
            assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
        }
    }
    assert!(cuts == 160 && lost > 0 && lost <= cuts, "{lost} of {cuts}");
}

#[test]
fn deliveries_are_bounded_paged_and_gone_with_their_endpoint() {
    let file = WebhookFile::on(Disk::new(Vec::new()).backend()).unwrap();
    // `a` is the beginning of `ab`: neither has the other's rows.
    for id in ["a", "ab"] {
        let mut now = endpoint(id);
        let mut changes = vec![WebhookChange::Put(Box::new(now.clone()))];
        for _ in 0..DELIVERIES_KEPT + 5 {
            let (next, delivery) = tried(&now, None, true);
            changes.push(WebhookChange::Deliver(key(id), Box::new(delivery)));
            now = next;
        }
        changes.push(WebhookChange::Put(Box::new(now)));
        file.commit(&changes).unwrap();
    }
    let numbers = |id: &str, before, limit| -> Vec<u64> {
        let found = file.deliveries(&key(id), before, limit).unwrap();
        found.iter().map(|one| one.number).collect()
    };
    let all = numbers("a", None, usize::MAX);
    assert_eq!(all.len() as u64, DELIVERIES_KEPT);
    assert_eq!((all[0], *all.last().unwrap()), (DELIVERIES_KEPT + 4, 5));
    assert_eq!(numbers("a", Some(8), 10), [7, 6, 5]);
    assert_eq!(file.delivery(&key("a"), 6).unwrap().unwrap().number, 6);
    assert_eq!(file.delivery(&key("a"), 4).unwrap(), None);
    file.commit(&[WebhookChange::Remove(key("a"))]).unwrap();
    assert!(numbers("a", None, 9).is_empty());
    assert_eq!(
        numbers("ab", None, usize::MAX).len() as u64,
        DELIVERIES_KEPT
    );
    let left = file.endpoints().unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].key, key("ab"));
}

#[test]
fn a_damaged_file_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(WEBHOOKS_FILE);
    let file = WebhookFile::open(folder.path()).unwrap();
    file.commit(&[WebhookChange::Put(Box::new(endpoint("erp")))])
        .unwrap();
    drop(file);
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "secrets are for the node alone");
    let file = WebhookFile::open(folder.path()).unwrap();
    assert_eq!(file.endpoints().unwrap(), [endpoint("erp")]);
    drop(file);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[..512].fill(0x5a);
    std::fs::write(&path, &bytes).unwrap();
    let error = WebhookFile::open(folder.path()).unwrap_err();
    assert!(error.is_damage(), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}
