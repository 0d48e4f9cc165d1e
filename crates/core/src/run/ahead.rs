//! Between listing and fetching: what is about to be fetched and paid for, and whether somebody has to agree to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::arrange::arrange;
use super::aws::Aws;
use super::context::RunContext;
use super::interrupt::unless_signalled;
use super::log::RunLog;
use super::source::OpenSource;
use super::title::{ServedBy, title};
use super::{capacity, listing};
use crate::estimate::{Ask, Bytes, CostPolicy, Estimate, EstimateSource, Paid, usd};
use crate::event::RunEvent;
use crate::exit::{Exit, Failure};
use crate::lister::Listed;
use crate::plan::RunPlan;
use crate::platform::Environment;
use crate::platform::cancel::cancellable;
use crate::price::{Egress, PriceList};
use crate::results::summary::{Header, StorageClass, fetched_classes};
use crate::speed::{AssumedSpeed, Configuration, Store};
use crate::spool::folder::{SpoolFolder, spool_failure};
use crate::spool::keys::KeyFile;
use crate::units::round_to_u64;

/// What may be fetched without a question, what it costs, and who is asked.
pub(super) struct CostCheck<'a> {
    pub(super) cost_policy: CostPolicy,
    pub(super) prices: &'a PriceList,
    pub(super) ask: Ask<'a>,
}

/// A run that was listed.
pub(super) struct Ahead<'a> {
    pub(super) plan: &'a RunPlan,
    pub(super) listed: Listed,
    /// GETs of one round.
    pub(super) gets: u64,
    pub(super) speed: &'a AssumedSpeed,
    /// Of the keys.
    pub(super) classes: BTreeMap<String, StorageClass>,
}

/// Storage classes of the keys, where somebody has to know what they cost.
pub(super) async fn classes(
    plan: &RunPlan,
    environment: &Environment,
    keys: &Arc<KeyFile>,
) -> Result<BTreeMap<String, StorageClass>, Failure> {
    if is_free(plan, environment) {
        return Ok(BTreeMap::new());
    }
    let keys = Arc::clone(keys);
    let classes =
        cancellable(move |cancelled| crate::lister::storage_classes(&keys, cancelled)).await;
    classes.map_err(|error| spool_failure(&error))
}

/// Whether nobody pays for what is fetched: it comes from a web server or from this machine, or the run is a task in the region of its bucket.
fn is_free(plan: &RunPlan, environment: &Environment) -> bool {
    !plan.source.is_bucket() || environment.ecs.is_some() || plan.access.is_on_this_machine()
}

impl Ahead<'_> {
    /// What is about to happen.
    pub(super) fn estimate(
        &self,
        (environment, region): (&Environment, Option<&str>),
        cost_policy: CostPolicy,
        prices: &PriceList,
    ) -> Estimate {
        let Self {
            plan,
            listed,
            speed,
            classes,
            ..
        } = self;
        let is_task = environment.ecs.is_some();
        let (bytes, gets, seconds) = self.work();
        let by_aws = plan.source.is_bucket() && plan.access.endpoint_url.is_none();
        // A task was set up to fetch this bucket, and mostly is in its region.
        let egress = if is_task && cost_policy.egress == Egress::Internet {
            Egress::None
        } else {
            cost_policy.egress
        };
        let paid = |region| Paid {
            region,
            gets,
            lists: listed.pages,
            bytes,
            egress,
            classes: fetched_classes(classes),
        };
        Estimate {
            what: "run",
            source: plan.source.uri(&plan.selection.prefix),
            from: if plan.source.http().is_some() {
                EstimateSource::WebServer
            } else {
                EstimateSource::Bucket
            },
            is_free: is_free(plan, environment),
            runs: 1,
            bytes_of_run: bytes,
            gets: plan.duration.is_none().then_some(gets),
            lists: listed.pages,
            seconds: seconds.filter(|_| by_aws || plan.duration.is_some()),
            measured: None,
            uncounted: None,
            usd: region
                .filter(|_| by_aws && speed.store == Store::Distant)
                .and_then(|region| usd(&paid(region), prices)),
        }
    }

    /// Bytes, GETs and seconds of the run: once through the keys, or as much as fits.
    fn work(&self) -> (Bytes, u64, Option<f64>) {
        let Self {
            plan,
            listed,
            gets,
            speed,
            ..
        } = self;
        let once = listed.bytes.map_or(Bytes::Unknown, Bytes::Listed);
        let configuration: Option<&Configuration> = speed.configurations.first();
        let once_s = configuration
            .zip(listed.bytes)
            .map(|(one, bytes)| speed.seconds(*one, (*gets as f64, bytes as f64)));
        let Some(duration) = plan.duration.map(|time| time.as_secs_f64()) else {
            return (once, *gets, once_s);
        };
        let rounds = once_s.map_or(1.0, |once_s| duration / once_s.max(f64::MIN_POSITIVE));
        let bytes = listed.bytes.map_or(Bytes::Unknown, |bytes| {
            Bytes::Assumed(round_to_u64(bytes as f64 * rounds))
        });
        (bytes, round_to_u64(*gets as f64 * rounds), Some(duration))
    }

    /// Goes on when somebody agreed to it, or nobody needs to.
    pub(super) async fn agree(
        &self,
        header: &Header,
        log: &mut RunLog<'_>,
        consent: CostCheck<'_>,
    ) -> Result<(), Failure> {
        let CostCheck {
            cost_policy,
            prices,
            ask,
        } = consent;
        let estimate = self.estimate(
            (&header.environment, header.region.as_deref()),
            cost_policy,
            prices,
        );
        if estimate.needs_asking(cost_policy.approval)? {
            log.event(&RunEvent::Asking);
        }
        estimate.agree(cost_policy.approval, ask).await
    }
}

/// Says what [`super::run`] would do: lists the keys; fetches and stores nothing.
///
/// # Errors
/// What would end the run before its first fetch.
pub async fn foresee(plan: &RunPlan, context: RunContext<'_>) -> Result<Estimate, Failure> {
    let RunContext {
        sources,
        embedded,
        prices,
        signal,
        on_event,
        warnings,
        store,
        cost_policy,
        ..
    } = context;
    let mut log = RunLog::new(on_event, signal, warnings);
    let environment = crate::platform::inspect(&sources).await;
    capacity::check(plan, &environment)?;
    let reached = ServedBy::of(embedded.as_ref());
    let aws = Aws::to_look(plan, embedded.map(|(_, keys)| keys)).await?;
    let header = Header::new(plan, crate::platform::clock::utc_now(), environment);
    log.event(&RunEvent::Started {
        title: title(plan, &header, reached),
    });
    let spool = SpoolFolder::create(plan.destination.spool_dir.as_deref())?;
    let mut source = OpenSource::new(plan, aws.as_ref())?;
    let speed = listing::speed(plan, &header.environment, store);
    let signal = log.signal();
    let list = listing::list(plan, (&mut source, spool.path()), speed.clone(), &mut log);
    let (listed, _) = Box::pin(unless_signalled(signal, list)).await?;
    let region = source.destinations(plan).await?.region;
    let keys = Arc::new(KeyFile::open(spool.path()).map_err(|error| spool_failure(&error))?);
    let laid_out = arrange(plan.layout, (&keys, spool.path()), &mut log).await?;
    let gets = laid_out
        .ok_or_else(|| {
            Failure::new(
                Exit::Interrupted,
                "interrupted before the end of the listing",
            )
        })?
        .items;
    let classes = unless_signalled(log.signal(), classes(plan, &header.environment, &keys)).await?;
    Ok(Ahead {
        plan,
        listed,
        gets: plan.source.requests().unwrap_or(gets),
        speed: &speed,
        classes,
    }
    .estimate(
        (&header.environment, region.as_deref()),
        cost_policy,
        &prices,
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::estimate::Approval;
    use crate::platform::ecs::TaskMetadata;
    use crate::results::summary::fixture;

    fn estimate(change: impl Fn(&mut RunPlan, &mut Environment)) -> Estimate {
        of_classes(change, &[])
    }

    fn of_classes(
        change: impl Fn(&mut RunPlan, &mut Environment),
        classes: &[(&str, u64, u64)],
    ) -> Estimate {
        let (mut plan, mut environment) = (fixture::plan(), Environment::default());
        (plan.access.endpoint_url, plan.concurrency) = (None, 16.try_into().unwrap());
        change(&mut plan, &mut environment);
        let store = if plan.access.is_on_this_machine() {
            Store::OnThisMachine
        } else {
            Store::Distant
        };
        let speed = listing::speed(&plan, &environment, store);
        let listed = Listed {
            keys: 1_000,
            bytes: Some(30_000_000_000),
            pages: 3,
            ..Listed::default()
        };
        let cost_policy = CostPolicy {
            approval: Approval::default(),
            egress: Egress::Internet,
        };
        let region = Some("us-east-1");
        let classes = classes
            .iter()
            .map(|(name, objects, bytes)| {
                (
                    (*name).to_owned(),
                    StorageClass {
                        objects: *objects,
                        bytes: *bytes,
                    },
                )
            })
            .collect();
        Ahead {
            plan: &plan,
            listed,
            gets: 1_000,
            speed: &speed,
            classes,
        }
        .estimate((&environment, region), cost_policy, &PriceList::built_in())
    }

    #[test]
    fn a_run_knows_what_it_will_fetch_and_cost() {
        let much = estimate(|_, _| {});
        assert_eq!(
            (much.bytes(), much.gets, much.lists),
            (Bytes::Listed(30_000_000_000), Some(1_000), 3)
        );
        let usd = much.usd.as_ref().unwrap();
        // 27.94 GB of 2^30 bytes at $0.09; 1,000 GETs and 3 pages.
        assert!(
            (usd.egress.unwrap() - 30e9 / f64::from(1 << 30) * 0.09).abs() < 1e-9
                && (usd.requests - 0.000_415).abs() < 1e-9,
            "{usd:?}"
        );
        assert!(much.needs_asking(Approval::default()).unwrap());
        // 30 MB each: 20 ms and a third of a second, 16 at once.
        assert!(
            (much.seconds.unwrap() - 1_000.0 * (0.02 + 1.0 / 3.0) / 16.0).abs() < 30.0,
            "{much:?}"
        );
    }

    #[test]
    fn a_class_that_charges_for_reading_is_priced_as_such() {
        let usd = |classes: &[(&str, u64, u64)]| of_classes(|_, _| {}, classes).usd.unwrap();
        let (plain, rare) = (
            usd(&[("STANDARD", 1_000, 30_000_000_000)]),
            usd(&[("STANDARD_IA", 1_000, 30_000_000_000)]),
        );
        assert!(plain.retrieval <= 0.0);
        // $0.01 a GB of 2^30 bytes, and $0.001 for 1,000 GETs.
        assert!(
            (rare.retrieval - 30e9 / f64::from(1 << 30) * 0.01).abs() < 1e-9
                && rare.requests > 2.0 * plain.requests,
            "{rare:?}"
        );
        // Nothing is asked for an archived key.
        assert!(
            usd(&[
                ("STANDARD", 900, 20_000_000_000),
                ("GLACIER", 100, 10_000_000_000)
            ])
            .retrieval
                <= 0.0
        );
    }

    #[test]
    fn of_a_task_and_of_this_machine_nobody_is_asked() {
        let task = estimate(|_, environment| environment.ecs = Some(TaskMetadata::default()));
        assert!(!task.needs_asking(Approval::default()).unwrap());
        assert_eq!(task.usd.unwrap().egress, Some(0.0));
        let local =
            estimate(|plan, _| plan.access.endpoint_url = Some("http://127.0.0.1:9000".to_owned()));
        assert!(
            !local.needs_asking(Approval::default()).unwrap()
                && local.usd.is_none()
                && local.seconds.is_none()
        );
        let elsewhere = estimate(|plan, _| {
            plan.access.endpoint_url = Some("https://minio.example.org".to_owned());
        });
        assert!(
            elsewhere.needs_asking(Approval::default()).unwrap() && elsewhere.usd.is_none(),
            "bytes are asked for whoever serves them"
        );
    }

    #[test]
    fn a_time_is_as_many_rounds_as_fit() {
        let once = estimate(|_, _| {}).seconds.unwrap();
        let timed = estimate(|plan, _| plan.duration = Some(Duration::from_mins(20)));
        let Bytes::Assumed(bytes) = timed.bytes() else {
            panic!("{timed:?}")
        };
        assert!((bytes as f64 / 30e9 / (1_200.0 / once) - 1.0).abs() < 1e-6);
        assert_eq!((timed.gets, timed.seconds), (None, Some(1_200.0)));
    }
}
