//! The keys of a job: listed once, added up, and divided for the forecast.

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::document::ShardKeys;
use super::forecast::{ForecastInput, JobForecast};
use super::job::BatchJob;
use super::manifest::unreadable;
use super::tally::{KeyTally, parts};
use crate::event::JobEvent;
use crate::exit::{Exit, Failure};
use crate::lister::{self, Listed};
use crate::price::{Egress, PriceList};
use crate::spool::folder::SpoolFolder;
use crate::spool::keys::KeyFile;
use crate::store::{Bucket, Session};
use crate::units;

/// Where a job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Regions {
    pub(super) bucket: String,
    pub(super) queue: String,
}

/// The keys of a job, listed.
pub(super) struct ListedKeys {
    /// Holds the key file, and is gone with this.
    pub(super) spool: SpoolFolder,
    pub(super) file: KeyFile,
    pub(super) listed: Listed,
    pub(super) tally: KeyTally,
    pub(super) shards: u32,
    pub(super) regions: Regions,
}

/// Lists the keys into a temporary folder, and adds them up.
pub(super) async fn list(
    job: &BatchJob,
    (session, bucket): (&Session, &str),
    on_event: &mut dyn FnMut(&JobEvent),
) -> Result<ListedKeys, Failure> {
    let spool = SpoolFolder::create(job.run.destination.spool_dir.as_deref())?;
    let mut keepers = JoinSet::new();
    let (tell, mut notes) = mpsc::unbounded_channel();
    let feed = session.credentials().await?.map(|(keeper, feed)| {
        keepers.spawn(keeper.keep(tell));
        feed
    });
    let session = session.with_feed(feed.as_ref());
    let mut source = Bucket::new(&session, bucket).pages_by(job.pages, feed);
    let listed = lister::list(&mut source, &job.run.selection, spool.path(), |keys| {
        on_event(&JobEvent::Listing { keys });
    })
    .await?;
    while let Ok(note) = notes.try_recv() {
        on_event(&JobEvent::Warning(note));
    }
    if listed.keys == 0 {
        return Err(Failure::new(
            Exit::SetUp,
            format!(
                "there are no keys under {}",
                source.uri(&job.run.selection.prefix)
            ),
        )
        .hint("check the bucket and the prefix"));
    }
    let shards = u32::try_from(listed.keys)
        .unwrap_or(u32::MAX)
        .min(job.shards);
    if shards < job.shards {
        let (keys, are) = (
            units::plural(listed.keys, "key"),
            if shards == 1 { "is" } else { "are" },
        );
        on_event(&JobEvent::Warning(format!(
            "there {are} {keys}, so that there are as many children"
        )));
    }
    let file = KeyFile::open(spool.path()).map_err(|error| unreadable(&error))?;
    let tally = KeyTally::of(&file, (&job.run.selection.prefix, job.run.layout), shards)
        .await
        .map_err(|error| unreadable(&error))?;
    let regions = Regions {
        bucket: source.session().region().to_owned(),
        queue: session.region().to_owned(),
    };
    if is_transfer_unpriced(job, &regions) {
        let Regions {
            bucket: there,
            queue: here,
        } = &regions;
        on_event(&JobEvent::Warning(format!(
            "the bucket is in {there} and the job runs in {here}: transfer between regions costs more, and is not in the price (--egress region prices it)"
        )));
    }
    Ok(ListedKeys {
        spool,
        file,
        listed,
        tally,
        shards,
        regions,
    })
}

/// Whether bytes go from the bucket's region to the queue's, and nobody asked for their price.
pub(super) fn is_transfer_unpriced(job: &BatchJob, regions: &Regions) -> bool {
    let is_aws = job.run.access.endpoint_url.is_none() && job.embedded.is_none();
    regions.bucket != regions.queue && is_aws && job.run.egress == Egress::None
}

pub(super) async fn divided(job: &BatchJob, keys: &ListedKeys) -> Result<Vec<ShardKeys>, Failure> {
    parts(&keys.file, (&keys.tally, job.division), keys.shards)
        .await
        .map_err(|error| unreadable(&error))
}

pub(super) async fn forecast_of(
    job: &BatchJob,
    keys: &ListedKeys,
    prices: &PriceList,
) -> Result<JobForecast, Failure> {
    let parts = divided(job, keys).await?;
    Ok(JobForecast::of(
        job,
        &ForecastInput {
            tally: &keys.tally,
            parts: &parts,
            pages: keys.listed.pages,
            region: &keys.regions.bucket,
            home: &keys.regions.queue,
            prices,
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::submit::fixture;

    #[test]
    fn transfer_to_another_region_has_a_price_where_it_is_asked_for() {
        let (mut job, apart) = (
            fixture::job(),
            Regions {
                bucket: "eu-west-1".to_owned(),
                queue: "us-east-1".to_owned(),
            },
        );
        assert!(is_transfer_unpriced(&job, &apart));
        assert!(!is_transfer_unpriced(
            &job,
            &Regions {
                bucket: "us-east-1".to_owned(),
                queue: "us-east-1".to_owned(),
            }
        ));
        job.run.egress = Egress::Region;
        assert!(!is_transfer_unpriced(&job, &apart));
    }
}
