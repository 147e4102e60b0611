//! A consortium under faults.

use std::io::Read as _;

use benches::Failure;
use benches::input::Setting;
use benches::trial::{self, check, client};
use tokio::sync::oneshot;

use crate::args::{TrialCheck, TrialClient, TrialPrepare};

pub(crate) fn prepare(args: &TrialPrepare) -> Result<(), Failure> {
    let setting = Setting {
        seed: args.seed,
        issuers: args.issuers,
    };
    trial::prepare(
        &args.dir,
        setting,
        &setting.cast(),
        args.validators,
        &args.peers,
    )
}

pub(crate) fn client(args: TrialClient) -> Result<(), Failure> {
    let (about, genesis) = trial::open(&args.dir)?;
    let cast = about.setting.cast();
    let (stop, stopped) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        drop(stop);
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let work = client::Work {
        about: &about,
        cast: &cast,
        chain: genesis.chain_id(),
        nodes: args.nodes,
        number: (args.number, args.of),
        first_serial: args.first_serial,
        rate: args.rate,
        log: &args.log,
    };
    runtime.block_on(client::run(work, async { drop(stopped.await) }))?;
    Ok(())
}

pub(crate) fn check(args: &TrialCheck) -> Result<(), Failure> {
    let checked = check::run(&args.dir, &args.logs)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&checked)?);
    } else {
        println!(
            "区块高度 / heights {:?}；记录 / records {}；应答 / answers {}；争抢 / contested {}；\
             最慢 / slowest {} ms",
            checked.heights,
            checked.records,
            checked.answers,
            checked.contested,
            checked.slowest_ms
        );
        for wrong in &checked.wrong {
            println!("{wrong}");
        }
    }
    if checked.wrong.is_empty() {
        Ok(())
    } else {
        Err("核对不通过 / the nodes did not pass".into())
    }
}
