//! One run: look at the machine, prove the results place, list, start the workers, fetch, write and store the results.
//!
//! Owns the order of these and what a failure of each means. Emits [`RunEvent`]s and writes nothing for people.

mod account;
mod ahead;
mod arrange;
mod capacity;
mod clock;
mod finish;
mod gauges;
mod interrupt;
mod kept;
mod last_word;
mod listing;
mod log;
mod price;
mod rows;
mod title;
mod watch;

use std::num::NonZeroU32;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch::Receiver;
use tokio::task::JoinSet;

use crate::engine::{self, Board, ChildOptions, EngineError, EngineReport, Gate, Job, Queue};
use crate::event::RunEvent;
pub use crate::exit::Signal;
use crate::exit::{Exit, Failure};
use crate::lister::Listed;
use crate::outlook::{Ask, Spending};
use crate::pace::Store;
use crate::plan::{Access, RunPlan};
use crate::platform::clock::{now_ns, utc_now};
use crate::platform::wait::comes;
use crate::platform::{Environment, Sources, fault, panics};
use crate::price::PriceList;
use crate::results::place::Place;
use crate::results::summary::{Header, RunFacts, State, Summary};
use crate::sample::FailedKey;
use crate::server::Embedded;
use crate::spool::folder::SpoolFolder;
use crate::spool::folder::spool_failure;
use crate::spool::items::{Items, LaidOut};
use crate::spool::keys::KeyFile;
use crate::spool::rows::{RowFile, RowSender};
use crate::spool::table::Handed;
use crate::store::{Bucket, CredentialFeed, Recipe, Session, StaticKeys, StoreError};
pub use ahead::foresee;
use ahead::{Ahead, Consent};
pub use capacity::most_workers;
use gauges::Gauges;
use interrupt::{proved, unless_told_to_end};
pub use kept::upload_command;
use last_word::LastWord;
use log::{Beside, Log};
use rows::row_writer;
use title::{Reached, title};
use watch::{Silence, watch_over};

/// What a run gets from outside.
pub struct Surroundings<'a> {
    /// When this process began, in ns of the monotonic clock.
    pub process_start_ns: u64,
    /// Where facts about the machine come from.
    pub sources: Sources,
    /// How children are started.
    pub children: ChildOptions,
    /// The embedded server and the keys to it.
    pub embedded: Option<(&'a mut Embedded, StaticKeys)>,
    /// What AWS charges.
    pub prices: PriceList,
    /// Set once a signal has come.
    pub signal: Receiver<Option<Signal>>,
    /// Hears every event.
    pub on_event: &'a mut dyn FnMut(&RunEvent),
    /// What was noticed before the run.
    pub warnings: Vec<String>,
    /// What serves the objects, for the size of a sample.
    pub store: Store,
    /// What may be fetched without a question.
    pub spending: Spending,
    /// Asks a person.
    pub ask: Ask<'a>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// The summary as it was stored.
    pub summary: Box<Summary>,
    /// Exit code, with a message where it is not good.
    pub exit: Result<Exit, Failure>,
    /// The first object of the listing that could not be fetched; a summary has no keys.
    pub first_failure: Option<FailedKey>,
}

/// What the fetch phase left.
struct Fetched {
    rows: std::io::Result<RowFile>,
    /// Items in a round.
    items: u64,
    /// How far the queue handed out, and what of it was left.
    handed: Handed,
    gauges: Gauges,
    engine: Result<EngineReport, EngineError>,
}

/// Does the whole run.
///
/// # Errors
/// What ends a run before there are results to keep. Later failures are part of [`Ended`].
pub async fn run(plan: &RunPlan, surroundings: Surroundings<'_>) -> Result<Ended, Failure> {
    let mut last_word = None;
    let ended = AssertUnwindSafe(Box::pin(from_start_to_end(
        plan,
        surroundings,
        &mut last_word,
    )))
    .catch_unwind()
    .await;
    match ended {
        Ok(ended) => ended,
        Err(payload) => {
            Err(Box::pin(last_word::panicked(last_word, panics::caught(&*payload))).await)
        }
    }
}

async fn from_start_to_end(
    plan: &RunPlan,
    surroundings: Surroundings<'_>,
    last_word: &mut Option<LastWord>,
) -> Result<Ended, Failure> {
    let Surroundings {
        process_start_ns,
        sources,
        children,
        mut embedded,
        prices,
        mut signal,
        on_event,
        warnings,
        store,
        spending,
        ask,
    } = surroundings;
    let (tell, notes) = unbounded_channel();
    let beside = Beside::new(tell.clone());
    let mut log = Log::new(on_event, (notes, beside.clone()));
    for warning in warnings {
        log.warn(warning);
    }
    let environment = crate::platform::inspect(&sources).await;
    capacity::check(plan, &environment)?;
    let mut header = Header::new(plan, utc_now(), environment);
    let keys = embedded.as_ref().map(|(_, keys)| keys.clone());
    let session = Session::load(&plan.access, plan.limits, keys).await?;
    // Aborted when this function returns: the keeper lives as long as the run.
    let mut background = JoinSet::new();
    let feed = unless_told_to_end(
        &mut signal,
        credentials(&session, (tell, beside), &mut background),
    )
    .await?;
    let session = session.with_feed(feed.as_ref());
    header.region = Some(session.region().to_owned());
    let reached = if embedded.is_some() {
        Reached::Embedded
    } else {
        Reached::Store
    };
    log.event(&RunEvent::Started {
        title: title(plan, &header, reached),
    });
    let spool = SpoolFolder::create(plan.destination.spool_dir.as_deref())?;
    let results_bucket = results_bucket(plan, &session).await?;
    let running = Summary::running(header.clone())
        .to_json()
        .map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?;
    let stem = plan.result_stem();
    let prepare = Box::pin(Place::prepare(
        &plan.destination,
        &stem,
        results_bucket,
        &running,
    ));
    let (mut place, replaced) = proved(&mut signal, prepare, &mut log).await?;
    *last_word = Some(LastWord {
        header: header.clone(),
        proved: place.proved(),
    });
    for warning in replaced {
        log.warn(warning);
    }
    log.phases.start_up_ns = Some(now_ns().saturating_sub(process_start_ns));
    let mut facts = RunFacts::new(header, State::Complete);
    let server = embedded.as_mut().map(|(server, _)| &mut **server);
    let results = place.folder().to_owned();
    let scene = Scene {
        plan,
        session,
        spool: spool.path(),
        results: &results,
        feed,
        children,
        sources: &sources,
        server,
        store,
    };
    let consent = Consent {
        spending,
        prices: &prices,
        ask,
    };
    let fetched = Box::pin(list_and_fetch(
        (scene, consent),
        (&mut facts, &mut log),
        &mut signal,
    ))
    .await;
    // Between two phases: what it takes is part of none.
    facts.header.environment.look_again(&sources).await;
    match fetched {
        Ok(Some((fetched, keys))) => {
            let outcome = finish::Outcome {
                plan,
                fetched,
                keys,
                spool: spool.path(),
                prices: &prices,
            };
            Box::pin(finish::finish(place, (facts, log), outcome, &mut signal)).await
        }
        Ok(None) => {
            Box::pin(finish::without_fetch(
                place,
                (facts, log),
                (&prices, &mut signal),
            ))
            .await
        }
        Err(failure) => Err(Box::pin(finish::failed(&mut place, (facts, log), failure)).await),
    }
}

/// The results bucket. Without signatures the source is read, but nobody may write so: results are signed all the same.
async fn results_bucket(plan: &RunPlan, session: &Session) -> Result<Option<Bucket>, Failure> {
    let Some(name) = plan.destination.bucket.as_deref() else {
        return Ok(None);
    };
    if !plan.access.no_sign_request {
        return Ok(Some(Bucket::new(session, name)));
    }
    let access = Access {
        no_sign_request: false,
        ..plan.access.clone()
    };
    Ok(Some(Bucket::new(
        &Session::load(&access, plan.limits, None).await?,
        name,
    )))
}

/// What a run has once it is set up.
struct Scene<'a> {
    plan: &'a RunPlan,
    session: Session,
    spool: &'a Path,
    results: &'a Path,
    feed: Option<CredentialFeed>,
    children: ChildOptions,
    sources: &'a Sources,
    server: Option<&'a mut Embedded>,
    store: Store,
}

/// Lists and fetches; `None` when there was nothing to fetch, or a signal came first.
async fn list_and_fetch(
    (scene, consent): (Scene<'_>, Consent<'_>),
    (facts, log): (&mut RunFacts, &mut Log<'_>),
    signal: &mut Receiver<Option<Signal>>,
) -> Result<Option<(Fetched, Arc<KeyFile>)>, Failure> {
    let Scene {
        plan,
        session,
        spool,
        results,
        feed,
        children,
        sources,
        server,
        store,
    } = scene;
    let mut source = Bucket::new(&session, &plan.bucket).pages_by(plan.client, feed.clone());
    let pace = listing::pace(plan, &facts.header.environment, store);
    let (listed, sample) = tokio::select! {
        listed = listing::list(plan, (&mut source, spool), pace.clone(), log) => listed?,
        _ = comes(signal) => {
            log.event(&RunEvent::Interrupted);
            return Ok(None);
        }
    };
    fault::point("listed");
    (
        facts.keys_listed,
        facts.listed_bytes,
        facts.sample,
        facts.lists,
    ) = (listed.keys, listed.bytes, sample, listed.pages);
    if listed.keys == 0 {
        log.warn(format!(
            "there are no keys under s3://{}/{}",
            plan.bucket, plan.selection.prefix
        ));
        return Ok(None);
    }
    let recipe = Recipe::resolve(source.session(), &plan.bucket).await?;
    if recipe.region() != session.region() {
        log.warn(format!(
            "s3://{} is in {}, not in {}: requests go there",
            plan.bucket,
            recipe.region(),
            session.region()
        ));
    }
    facts.header.region = Some(recipe.region().to_owned());
    facts.header.resolved_addresses = addresses(&recipe).await;
    let keys = Arc::new(KeyFile::open(spool).map_err(|error| spool_failure(&error))?);
    let Some(laid_out) = arrange::arrange(plan.layout, (&keys, spool), signal, log).await? else {
        return Ok(None);
    };
    let most_bytes = consent.spending.agreement.max_bytes;
    let classes = unless_told_to_end(
        signal,
        ahead::classes((plan, &facts.header.environment), &keys),
    )
    .await?;
    let ahead = Ahead {
        plan,
        listed,
        gets: laid_out.items,
        pace: &pace,
        classes,
    };
    unless_told_to_end(signal, ahead.agree((facts, log), consent)).await?;
    let items = Arc::new(Items::open(spool).map_err(|error| spool_failure(&error))?);
    let key_bytes = keys.mean_bytes().map_err(|error| spool_failure(&error))?;
    let runtimes = runtimes(&facts.header.environment);
    let stage = Stage {
        plan,
        items,
        laid_out,
        spool,
        results,
        key_bytes,
        recipe,
        feed,
        children,
        runtimes,
        most_bytes,
    };
    let fetched = Box::pin(fetch(stage, (server, sources), (signal, listed), log)).await?;
    Ok(Some((fetched, keys)))
}

async fn credentials(
    session: &Session,
    (notes, beside): (UnboundedSender<String>, Beside),
    background: &mut JoinSet<()>,
) -> Result<Option<CredentialFeed>, StoreError> {
    let Some((keeper, feed)) = session.credentials().await? else {
        return Ok(None);
    };
    background.spawn(beside.watch(async {
        fault::point("credentials");
        keeper.keep(notes).await;
    }));
    Ok(Some(feed))
}

/// One runtime a vCPU, rounded up; one below 1 vCPU, because two threads would use up a small quota in half the time and then stand still.
fn runtimes(environment: &Environment) -> NonZeroU32 {
    let limit = environment.vcpu.limit_vcpu.unwrap_or(1.0).ceil();
    // No machine has so many that a few thousand runtimes would be too few.
    (1..=4096)
        .rev()
        .find(|count| f64::from(*count) <= limit)
        .and_then(NonZeroU32::new)
        .unwrap_or(NonZeroU32::MIN)
}

async fn addresses(recipe: &Recipe) -> Option<u32> {
    let found = tokio::net::lookup_host((recipe.endpoint.host.as_str(), recipe.endpoint.port))
        .await
        .ok()?;
    u32::try_from(found.count()).ok()
}

/// What the fetch phase needs.
struct Stage<'a> {
    plan: &'a RunPlan,
    items: Arc<Items>,
    laid_out: LaidOut,
    spool: &'a Path,
    /// Where the results are written.
    results: &'a Path,
    /// Bytes of a key in the mean.
    key_bytes: u64,
    recipe: Recipe,
    feed: Option<CredentialFeed>,
    children: ChildOptions,
    runtimes: NonZeroU32,
    /// Bytes behind which nothing more is handed out.
    most_bytes: Option<u64>,
}

/// Starts the workers, opens the barrier, waits for their end.
async fn fetch(
    stage: Stage<'_>,
    (mut server, sources): (Option<&mut Embedded>, &Sources),
    (signal, listed): (&mut Receiver<Option<Signal>>, Listed),
    log: &mut Log<'_>,
) -> Result<Fetched, Failure> {
    let plan = stage.plan;
    // All archived: there is nothing to go round.
    let until_ns = plan
        .duration
        .filter(|_| listed.archived < listed.keys)
        .map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    let items = stage.laid_out.items;
    let queue = Queue::new(items, plan.concurrency.get(), until_ns);
    let queue = Arc::new(if plan.layout.is_one_by_one() {
        queue.one_by_one()
    } else {
        queue
    });
    // Only where the keys themselves are the items are archived ones among them.
    let units = until_ns.is_none().then_some(if plan.layout.is_plain() {
        items - listed.archived
    } else {
        items
    });
    let what = if stage.laid_out.divided > 0 {
        "objects and parts"
    } else {
        "objects"
    };
    let board = Arc::new(Board::new(plan.concurrency.get()));
    let (writer, rows) = row_writer(&stage, (&queue, &board), (units, &log.beside))?;
    let _stops = log.beside.stop_at_panic((&queue, &board));
    let (gate, mut keeper) = Gate::new();
    let begin = now_ns();
    let (clock, most_bytes) = (
        stage.feed.as_ref().map(|feed| feed.clock.clone()),
        stage.most_bytes,
    );
    let job = job(stage, Arc::clone(&queue), rows);
    let engine = engine::run(job, Arc::clone(&board), gate);
    let mut engine = std::pin::pin!(engine);
    tokio::select! {
        ended = &mut engine => return Err(match ended {
            Err(error) => error.into(),
            Ok(_) => Failure::new(Exit::Unexpected, "the workers ended before they began"),
        }),
        ready = keeper.all_ready(plan.concurrency.get()) => ready?,
        came = comes(signal) => return Err(Failure::new(came.exit(), "interrupted before the first fetch")),
    }
    log.phases.worker_start_ns = Some(now_ns().saturating_sub(begin));
    if let Some(server) = &mut server {
        server
            .reset()
            .await
            .map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?;
    }
    fault::point("fetch");
    log.event(&RunEvent::Fetching {
        units,
        what,
        duration_ns: until_ns,
        concurrency: plan.concurrency.get(),
    });
    let mut gauges = Gauges::at_epoch(sources, &board);
    let silence = Silence::new(&plan.limits);
    let engine = watch_over(
        (&mut engine, &keeper, silence),
        (&mut gauges, &board, &queue),
        (signal, most_bytes),
        log,
    )
    .await;
    if engine.is_err() {
        board
            .take_warnings()
            .into_iter()
            .for_each(|warning| log.warn(warning));
    }
    gauges.at_end(&queue, server).await;
    if let Some(warning) = clock.and_then(|clock| clock::warning(clock.newest())) {
        log.warn(warning);
    }
    let progress = RunEvent::Progress {
        live: board.live(),
        elapsed_ns: gauges.elapsed_ns(),
    };
    log.event(&progress);
    log.event(&RunEvent::Fetched);
    Ok(Fetched {
        rows: writer.finish(),
        items,
        handed: queue.handed(),
        gauges,
        engine,
    })
}

fn job(stage: Stage<'_>, queue: Arc<Queue>, rows: RowSender) -> Job {
    let Stage {
        plan,
        items,
        spool,
        recipe,
        feed,
        children,
        runtimes,
        ..
    } = stage;
    Job {
        mode: plan.mode,
        client: plan.client,
        concurrency: plan.concurrency,
        limits: plan.limits,
        work: plan.work,
        recipe,
        feed,
        spool: spool.to_owned(),
        items,
        queue,
        rows,
        runtimes,
        children,
    }
}
