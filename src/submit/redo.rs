//! Children that did not end well, submitted again: a job goes on with the shards that are left, and not from its start.
//!
//! Each time is a job of its own in Batch, of as many children as there are shards left. `job.json` has them all.

use super::allowed::check_price;
use super::claim::{StoredJob, begun, claim, release};
use super::document::{JobDocument, RedoneJob};
use super::job::BatchJob;
use super::noted::note_id;
use super::wait::{FEW_LOOKS, JobEnd, JobWatch};
use crate::estimate::CostConsent;
use crate::event::JobEvent;
use crate::exit::{Exit, Failure};
use crate::store::Bucket;

/// What a job and those that redo some of it are waited for with.
pub(super) struct Waits<'a, 'b> {
    pub(super) job: &'a BatchJob,
    pub(super) results: &'a mut Bucket,
    pub(super) watch: &'a mut JobWatch<'b>,
}

impl Waits<'_, '_> {
    /// Waits for the last job that was submitted; redoes what of it did not end well, once, where that was asked for.
    pub(super) async fn until_the_end(
        mut self,
        (id, shards): (&str, u32),
        mut stored: StoredJob,
    ) -> Result<JobEnd, Failure> {
        let before = stored.document.redone.len();
        self.send_last(&mut stored).await?;
        let end = self.wait(&stored.document, (id, shards)).await?;
        if end.is_good || !self.job.redo_failed {
            return Ok(end);
        }
        // Another command may redo them since.
        if let Some(again) = begun(self.job, self.results).await? {
            stored = again;
        }
        if stored.document.redone.len() == before {
            let left = left_of(&end, &stored.document);
            self.may_be_spent(&stored.document, &left)?;
            stored.document.redone.push(RedoneJob {
                job_id: None,
                shards: left,
            });
        }
        self.send_last(&mut stored).await?;
        self.wait(&stored.document, (id, shards)).await
    }

    /// How the last job ended; its children by the shards that they had.
    async fn wait(
        &mut self,
        document: &JobDocument,
        (id, shards): (&str, u32),
    ) -> Result<JobEnd, Failure> {
        let poll = self.job.poll;
        let Some(last) = document.redone.last() else {
            return self.watch.until_its_end(id, (shards, poll)).await;
        };
        let id = last.job_id.as_deref().unwrap_or_default();
        let children = u32::try_from(last.shards.len()).unwrap_or(u32::MAX);
        let mut end = self.watch.until_its_end(id, (children, poll)).await?;
        for child in &mut end.failed {
            let shard = last.shards.get(child.index as usize);
            child.index = shard.copied().unwrap_or(child.index);
        }
        end.children = shards;
        Ok(end)
    }

    /// Submits the last of those that redo, or finds it by its name, and writes down its id. Nothing where that was done.
    async fn send_last(&mut self, stored: &mut StoredJob) -> Result<(), Failure> {
        let document = &stored.document;
        let shards = u32::try_from(document.shards.len()).unwrap_or(u32::MAX);
        let number = document.redone.len();
        let last = document.redone.last();
        let Some(last) = last.filter(|last| last.job_id.is_none()) else {
            return Ok(());
        };
        let request = self.job.request_again(shards, (number, &last.shards))?;
        let found = self.watch.look_for(&request, FEW_LOOKS).await?;
        let before = found.is_some();
        let id = match found {
            Some(id) => id,
            None if self.job.consent == CostConsent::NotGiven => {
                let message = format!("what is left of the job {} is not submitted", self.job.id);
                return Err(Failure::new(Exit::Usage, message).hint("--yes submits it"));
            }
            None => {
                claim(self.job, self.results, stored).await?;
                match self.watch.submit(&request).await {
                    Ok(id) => id,
                    Err(failure) => {
                        release(self.job, self.results, &mut stored.document).await;
                        return Err(failure);
                    }
                }
            }
        };
        (self.watch.on_event)(&JobEvent::Submitted {
            id: id.clone(),
            before,
        });
        let document = &mut stored.document;
        document.submitting_since = None;
        if let Some(last) = document.redone.last_mut() {
            last.job_id = Some(id);
        }
        note_id(self.job, (self.results, document), self.watch).await;
        Ok(())
    }

    /// Whether the shards that are left may cost what they cost.
    fn may_be_spent(&self, document: &JobDocument, left: &[u32]) -> Result<(), Failure> {
        let share = left.len() as f64 / document.shards.len().max(1) as f64;
        match self.job.consent {
            CostConsent::Given => Ok(()),
            CostConsent::UpTo(most) => {
                let usd = document.forecast_usd.map(|usd| usd * share);
                check_price(most, usd, &self.job.id)
            }
            CostConsent::NotGiven => {
                let message = format!(
                    "{} of {} shards of the job {} are left, and nothing may be spent",
                    left.len(),
                    document.shards.len(),
                    self.job.id
                );
                Err(Failure::new(Exit::Usage, message).hint("--yes submits them again"))
            }
        }
    }
}

/// The shards of the children that did not end well; an array that never had children names none of them.
fn left_of(end: &JobEnd, document: &JobDocument) -> Vec<u32> {
    let failed: Vec<u32> = end.failed.iter().map(|child| child.index).collect();
    match document.redone.last() {
        _ if !failed.is_empty() => failed,
        Some(last) => last.shards.clone(),
        None => (0..).take(document.shards.len()).collect(),
    }
}
