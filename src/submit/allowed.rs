//! Whether a job may cost and fetch what its forecast says.

use super::document::source_words;
use super::forecast::JobForecast;
use super::job::BatchJob;
use crate::estimate::CostConsent;
use crate::exit::{Exit, Failure};
use crate::units;

pub(super) fn may_be_spent(job: &BatchJob, forecast: &JobForecast) -> Result<bool, Failure> {
    let CostConsent::UpTo(most) = job.consent else {
        return Ok(job.consent == CostConsent::Given);
    };
    let hint = "--yes submits it whatever it costs";
    let usd = forecast.usd.as_ref().map_err(|why| {
        Failure::new(Exit::Usage, format!("what it costs is not known: {why}"))
            .hint(format!("{hint}; --prices FILE takes another price list"))
    })?;
    let (_, usd) = usd.total();
    if usd > most {
        let message = format!(
            "it may cost ${}, more than --max-cost {most}",
            units::three_digits(usd)
        );
        return Err(Failure::new(Exit::Usage, message).hint(hint));
    }
    Ok(true)
}

/// Whether the children may fetch so many bytes. What they fetch in a time is held to while they fetch.
pub(super) fn few_enough(job: &BatchJob, bytes: Option<u64>) -> Result<(), Failure> {
    let Some(most) = job.max_bytes.filter(|_| job.run.duration.is_none()) else {
        return Ok(());
    };
    let from = source_words(&job.run.selection, job.run.source.bucket());
    let limit = units::bytes(most);
    let (message, hint) = match bytes {
        Some(bytes) if bytes <= most => return Ok(()),
        Some(bytes) => {
            let message = format!(
                "this job fetches {} from {from}, and --max-bytes is {limit}",
                units::bytes(bytes)
            );
            (
                message,
                "a higher --max-bytes allows it; --limit or --prefix fetch less",
            )
        }
        None => {
            let message = format!(
                "how many bytes this job fetches from {from} is not known, and --max-bytes is {limit}"
            );
            (
                message,
                "a key file with sizes, or a listing, has it; without --max-bytes the job has no such limit",
            )
        }
    };
    Err(Failure::new(Exit::Usage, message).hint(hint))
}

/// A job that was planned before is submitted for no more than may be spent now.
pub(super) fn check_price(most: f64, forecast_usd: Option<f64>, id: &str) -> Result<(), Failure> {
    let message = match forecast_usd {
        Some(usd) if usd <= most => return Ok(()),
        Some(usd) => format!(
            "the job {id} may cost ${}, more than --max-cost {most}",
            units::three_digits(usd)
        ),
        None => format!("what the job {id} costs was not known when it was planned"),
    };
    Err(Failure::new(Exit::Usage, message).hint("--yes submits it whatever it costs"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::submit::fixture;

    #[test]
    fn more_bytes_than_are_allowed_are_refused_before_anything_is_submitted() {
        let mut job = fixture::job();
        assert_eq!(few_enough(&job, None), Ok(()));
        job.max_bytes = Some(50_000_000_000);
        assert_eq!(few_enough(&job, Some(50_000_000_000)), Ok(()));
        let refused = few_enough(&job, Some(51_000_000_000)).unwrap_err();
        assert_eq!(
            (refused.exit, refused.message.as_str()),
            (
                Exit::Usage,
                "this job fetches 51.0 GB from s3://images/, and --max-bytes is 50.0 GB"
            )
        );
        let unknown = few_enough(&job, None).unwrap_err();
        assert_eq!(
            unknown.message,
            "how many bytes this job fetches from s3://images/ is not known, and --max-bytes is 50.0 GB"
        );
        job.run.duration = Some(std::time::Duration::from_mins(1));
        assert_eq!(
            few_enough(&job, None),
            Ok(()),
            "each child stops at its share"
        );
    }
}
