//! Validators under loss, partitions, crashes and treason.

mod sim;

use sim::{Crash, Outcome, Partition, Plan, run};

/// Nothing that must hold was violated, and everyone who lives has all blocks.
fn assert_good(plan: &Plan, outcome: &Outcome) {
    assert_eq!(outcome.faults, Vec::<String>::new());
    for (node, height) in outcome.heights.iter().enumerate() {
        if !plan.dead.contains(&node) {
            assert!(*height >= plan.heights, "seed {}: {outcome:?}", plan.seed);
        }
    }
}

/// The seeds of a test; `PIAOLIAN_SEEDS` asks for more of them.
fn seeds(count: u64) -> std::ops::Range<u64> {
    let asked = std::env::var("PIAOLIAN_SEEDS").ok();
    0..asked.map_or(count, |text| text.parse().expect("a number of seeds"))
}

#[test]
fn a_quiet_network_decides_every_height_in_its_first_round() {
    for count in [1, 4, 5, 7] {
        let plan = Plan::calm(1, count);
        let outcome = run(&plan);
        assert_good(&plan, &outcome);
        assert_eq!(outcome.last_round, 0, "{count}");
    }
}

#[test]
fn loss_repetition_and_disorder_cost_rounds_and_nothing_else() {
    let mut rounds = 0;
    for seed in seeds(8) {
        let plan = Plan::rough(seed, 4);
        let outcome = run(&plan);
        assert_good(&plan, &outcome);
        rounds += outcome.last_round;
    }
    assert!(rounds > 0, "no run was rough enough");
}

#[test]
fn crashes_are_survived_by_the_log() {
    let mut replayed = 0;
    for seed in seeds(6) {
        let crash = |n: u64| Crash {
            at_ms: 40 + n * 137 + seed * 31,
            node: (n * 3 + seed) as usize % 7,
            down_ms: 20 + n * 60,
            forgets: false,
        };
        let plan = Plan {
            crashes: (0..12).map(crash).collect(),
            heights: 5,
            ..Plan::rough(seed, 7)
        };
        let outcome = run(&plan);
        assert_good(&plan, &outcome);
        replayed += outcome.replayed;
    }
    assert!(replayed > 20, "only {replayed} entries were replayed");
}

#[test]
fn all_may_crash_at_once_and_go_on() {
    for seed in seeds(4) {
        let crash = |n: usize| Crash {
            at_ms: 30 + seed * 17 + (n as u64 / 4) * 200,
            node: n % 4,
            down_ms: 50,
            forgets: false,
        };
        let plan = Plan {
            crashes: (0..16).map(crash).collect(),
            ..Plan::calm(seed, 4)
        };
        assert_good(&plan, &run(&plan));
    }
}

#[test]
fn who_lost_its_log_is_silent_for_the_height() {
    for seed in seeds(4) {
        let crash = Crash {
            at_ms: 60 + seed * 10,
            node: 2,
            down_ms: 30,
            forgets: true,
        };
        let plan = Plan {
            crashes: vec![crash],
            ..Plan::calm(seed, 4)
        };
        let outcome = run(&plan);
        assert_good(&plan, &outcome);
        assert_eq!(outcome.spoke_without_memory, 0);
    }
}

#[test]
fn two_halves_wait_for_each_other() {
    let plan = Plan {
        partitions: vec![Partition {
            from_ms: 0,
            to_ms: 6_000,
            sides: vec![0, 0, 1, 1],
        }],
        ..Plan::calm(3, 4)
    };
    let outcome = run(&plan);
    assert_eq!(outcome.at_partition_ends, [0]);
    assert_good(&plan, &outcome);
    let minority = Plan {
        partitions: vec![Partition {
            from_ms: 50,
            to_ms: 4_000,
            sides: vec![0, 0, 0, 1],
        }],
        heights: 30,
        ..Plan::calm(4, 4)
    };
    let outcome = run(&minority);
    assert!(outcome.at_partition_ends[0] > 3, "{outcome:?}");
    assert_good(&minority, &outcome);
}

#[test]
fn a_dead_proposer_costs_its_rounds() {
    for dead in 0..4 {
        let plan = Plan {
            dead: vec![dead],
            ..Plan::calm(5, 4)
        };
        let outcome = run(&plan);
        assert_good(&plan, &outcome);
        assert_eq!(outcome.last_round, 1);
    }
}

#[test]
fn invalid_blocks_are_voted_down() {
    for seed in seeds(3) {
        let plan = Plan {
            bad: vec![1],
            ..Plan::rough(seed, 4)
        };
        let outcome = run(&plan);
        assert_good(&plan, &outcome);
        assert!(outcome.last_round > 0);
    }
}

#[test]
fn weights_decide_who_is_missed() {
    let weighted = |dead| Plan {
        sets: vec![(1, vec![(0, 4), (1, 2), (2, 2), (3, 2)])],
        dead: vec![dead],
        end_ms: 20_000,
        ..Plan::calm(6, 4)
    };
    for dead in 1..4 {
        assert_good(&weighted(dead), &run(&weighted(dead)));
    }
    let outcome = run(&weighted(0));
    assert_eq!(outcome.faults, Vec::<String>::new());
    assert_eq!(outcome.heights, [0; 4], "six of ten are no quorum");
}

#[test]
fn a_new_set_takes_over_at_its_height() {
    for seed in seeds(4) {
        let of = |keys: [usize; 4]| keys.map(|key| (key, 1)).to_vec();
        let plan = Plan {
            keys: vec![0, 1, 2, 3, 4],
            sets: vec![(1, of([0, 1, 2, 3])), (4, of([1, 2, 3, 4]))],
            heights: 8,
            ..Plan::rough(seed, 4)
        };
        // Certificates are judged by the set of their height.
        assert_good(&plan, &run(&plan));
        // Before, the newcomer is not missed; afterwards the one that left is not.
        let mut without_the_former = plan.clone();
        without_the_former.crashes = vec![Crash {
            at_ms: 20_000,
            node: 0,
            down_ms: 1_000_000,
            forgets: false,
        }];
        without_the_former.heights = 6;
        assert_eq!(run(&without_the_former).faults, Vec::<String>::new());
    }
}

/// Four keys, and a fifth node that has one of them as well.
fn twins(seed: u64) -> Plan {
    Plan {
        keys: vec![0, 1, 2, 3, 3],
        sets: vec![(1, (0..4).map(|key| (key, 1)).collect())],
        ..Plan::rough(seed, 4)
    }
}

#[test]
fn a_key_in_two_hands_is_found_out_and_forks_nothing() {
    let mut evidence = 0;
    for seed in seeds(8) {
        let plan = twins(seed);
        let outcome = run(&plan);
        assert_eq!(outcome.faults, Vec::<String>::new());
        // The twins may stop each other; the others have all blocks.
        let honest = &outcome.heights[..3];
        assert!(
            honest.iter().all(|height| *height >= plan.heights),
            "{outcome:?}"
        );
        evidence += outcome.evidence;
    }
    assert!(evidence > 0, "no twin was caught");
}

#[test]
fn two_traitors_of_four_fork_and_the_oracle_sees_it() {
    // Each half has an honest validator and a copy of both traitors.
    let plan = Plan {
        keys: vec![0, 1, 2, 3, 2, 3],
        sets: vec![(1, (0..4).map(|key| (key, 1)).collect())],
        partitions: vec![Partition {
            from_ms: 0,
            to_ms: 30_000,
            sides: vec![0, 1, 0, 0, 1, 1],
        }],
        heights: 2,
        ..Plan::calm(7, 4)
    };
    let outcome = run(&plan);
    assert!(
        outcome
            .faults
            .iter()
            .any(|fault| fault.contains("fork at 1")),
        "{outcome:?}"
    );
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in [11, 12] {
        assert_eq!(run(&twins(seed)), run(&twins(seed)));
    }
    assert_ne!(run(&twins(11)).trace, run(&twins(12)).trace);
}
