//! How a sweep begins: its keys are listed and what it is, is written down; or an earlier part of it has done so, and has to be of the same sweep.

use std::collections::BTreeMap;
use std::path::Path;

use super::folder::Folder;
use super::job::SweepJob;
use super::keys::{ExpectedKeys, Frozen, KeySum, WantedKeys, freeze, freeze_model};
use super::plan::SweepPlan;
use super::requests::RequestTemplate;
use crate::cell::Cell;
use crate::event::SweepEvent;
use crate::exit::{Exit, Failure};
use crate::lister::sha256_hex;
use crate::model::Law;
use crate::results::PLAN_FILE;
use crate::results::record::SweepFacts;
use crate::shell;
use crate::speed::{AssumedSpeed, Configuration};
use crate::store::Bucket;

/// A sweep in its folder.
pub(super) struct Begun {
    pub(super) facts: SweepFacts,
    /// LIST requests of this command.
    pub(super) lists: u64,
}

/// Where keys come from.
pub(super) enum KeysFrom<'a> {
    Bucket(&'a mut Bucket),
    Model(&'a Law),
    /// They are in the plan.
    Urls(&'a RequestTemplate),
}

/// What stands for the bucket of a model, and whose prices hold.
pub(super) const OF_MODEL: (&str, &str) = ("model", "us-east-1");

impl KeysFrom<'_> {
    /// The bucket, and its region; of a web server there is neither.
    fn names(&self) -> (String, Option<String>) {
        match self {
            Self::Bucket(bucket) => (
                bucket.name().to_owned(),
                Some(bucket.session().region().to_owned()),
            ),
            Self::Model(_) => (OF_MODEL.0.to_owned(), Some(OF_MODEL.1.to_owned())),
            Self::Urls(_) => (String::new(), None),
        }
    }
}

/// What a new sweep is, before its keys are listed.
pub(super) struct NewSweep<'a> {
    pub(super) job: &'a SweepJob,
    pub(super) cells: &'a [Cell],
    pub(super) folder: &'a Folder,
    /// The text of its plan.
    pub(super) plan: &'a str,
    /// The task definition of all tasks.
    pub(super) definition: Option<String>,
    /// Those of contenders, by their names.
    pub(super) contender_definitions: BTreeMap<String, String>,
    /// The architecture of all tasks.
    pub(super) architecture: Option<String>,
}

impl NewSweep<'_> {
    /// Lists the keys, if a bucket is read, and writes down what the sweep is.
    pub(super) async fn begin(
        self,
        from: KeysFrom<'_>,
        on_event: &mut dyn FnMut(&SweepEvent),
    ) -> Result<Begun, Failure> {
        let names = from.names();
        let frozen = self.freeze(from, on_event).await?;
        let Self {
            job,
            folder,
            plan,
            definition,
            contender_definitions,
            architecture,
            ..
        } = self;
        let lists = frozen.pages;
        let facts = SweepFacts {
            task_definition: definition,
            contender_definitions,
            architecture,
            plan_sha256: sha256_hex(plan.as_bytes()),
            ..facts(job, frozen, names)
        };
        folder.begin(&facts, plan)?;
        Ok(Begun { facts, lists })
    }

    async fn freeze(
        &self,
        from: KeysFrom<'_>,
        on_event: &mut dyn FnMut(&SweepEvent),
    ) -> Result<Frozen, Failure> {
        let Self {
            job, cells, folder, ..
        } = self;
        let frozen = match from {
            KeysFrom::Urls(urls) => Frozen::of_urls(urls)?,
            KeysFrom::Model(law) => freeze_model(law, &folder.keys_path())?,
            KeysFrom::Bucket(bucket) => {
                let wanted = WantedKeys {
                    source: job.source.clone(),
                    prefix: job.plan.prefix.clone(),
                    sample: job.sample.map(|sample| (sample, speed(job, cells))),
                    order: job.key_order,
                };
                let frozen = freeze(bucket, &wanted, &folder.keys_path(), |keys| {
                    on_event(&SweepEvent::Listing { keys });
                })
                .await?;
                if frozen.keys == 0 {
                    let uri = bucket.uri(&job.plan.prefix);
                    return Err(Failure::new(
                        Exit::SetUp,
                        format!("there are no keys under {uri}"),
                    )
                    .hint(
                        "check the bucket and the prefix, or make objects with `parfetch fill`",
                    ));
                }
                frozen
            }
        };
        if let Some(note) = &frozen.note {
            on_event(&SweepEvent::Warning(note.clone()));
        }
        Ok(frozen)
    }
}

/// How fast the cells are thought to be.
pub(super) fn speed(job: &SweepJob, cells: &[Cell]) -> AssumedSpeed {
    AssumedSpeed {
        store: job.store,
        configurations: cells.iter().map(configuration).collect(),
    }
}

/// A cell, as the assumed speed takes it.
pub(super) fn configuration(cell: &Cell) -> Configuration {
    Configuration {
        vcpu: cell.vcpu(),
        concurrency: f64::from(cell.concurrency),
        shards: f64::from(cell.shards.max(1)),
    }
}

fn facts(job: &SweepJob, frozen: Frozen, (bucket, region): (String, Option<String>)) -> SweepFacts {
    SweepFacts {
        id: job.id.clone(),
        plan_sha256: String::new(),
        keys_sha256: frozen.sha256,
        on: job.place.facts().name.to_owned(),
        task_definition: None,
        contender_definitions: BTreeMap::new(),
        architecture: None,
        seed: job.plan.seed,
        repetitions: job.plan.repeat,
        left_out: Vec::new(),
        bucket,
        prefix: job.plan.prefix.clone(),
        limit: job.plan.limit,
        sample: frozen.sample,
        duration_ns: job
            .plan
            .time()
            .map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
        region,
        endpoint: if job.embedded.is_some() || job.requests.is_some() {
            None
        } else {
            job.access.shown_endpoint()
        },
        embedded: job.plan.embedded.clone(),
        http: job.requests.as_ref().map(RequestTemplate::settings),
        keys: frozen.keys,
        bytes: frozen.bytes,
        storage_classes: frozen.storage_classes,
        listing_ns: frozen.listing_ns,
        results: job
            .results
            .as_ref()
            .map(|uri| uri.to_string().trim_end_matches('/').to_owned()),
    }
}

/// A sweep that goes on has to be the same sweep.
pub(super) fn continued(
    job: &SweepJob,
    folder: &Folder,
    facts: SweepFacts,
) -> Result<SweepFacts, Failure> {
    let refuse = |what: String| {
        Failure::new(
            Exit::Usage,
            format!("the sweep {} cannot go on: {what}", job.id),
        )
        .hint("choose another --id for another sweep")
    };
    if job.embedded.is_none()
        && job.requests.is_none()
        && facts.endpoint != job.access.shown_endpoint()
    {
        return Err(refuse("its endpoint is another".to_owned()));
    }
    if facts.on != job.place.facts().name {
        return Err(refuse(format!("it was begun with --on {}", facts.on)));
    }
    if let Some(requests) = &job.requests {
        // Its URLs are in its plan, and the body in a file is not.
        return if requests.sha256()? == facts.keys_sha256 {
            Ok(facts)
        } else {
            Err(refuse("the body in --body-file was changed".to_owned()))
        };
    }
    match folder.keys_checksum()? {
        Some(sum) if sum == facts.keys_sha256 => Ok(facts),
        _ => Err(refuse(format!(
            "its key list {} was changed",
            folder.keys_path().display()
        ))),
    }
}

/// The plan of a sweep that goes on has to be the one that it was begun with.
pub(super) fn same_plan(before: &str, now: &str, id: &str, folder: &Path) -> Result<(), Failure> {
    const EVERY_KEY: &str = "sample = \"all\"\n";
    // A plan of before there were samples says nothing of one, and meant every key.
    let is_older = !before
        .lines()
        .any(|line| line.starts_with("sample = ") || line.starts_with("limit = "));
    let now = if is_older {
        now.replace(EVERY_KEY, "")
    } else {
        now.to_owned()
    };
    if before == now {
        return Ok(());
    }
    let is_of_tune = |plan: &str| plan.lines().any(|line| line == "[tune]");
    let what = if is_of_tune(before) { "tune" } else { "sweep" };
    if is_older && now.lines().any(|line| line.starts_with("sample = ")) {
        let message =
            format!("the {what} {id} was begun with every key, and now there is a sample");
        return Err(Failure::new(Exit::Usage, message)
            .hint("continue it as it was begun, with --sample all, or choose another --id"));
    }
    let differing = differing(before, &now);
    let message = format!(
        "the {what} {id} was begun with another plan: it had `{}`, and now there is `{}`",
        shortened(differing.0),
        shortened(differing.1)
    );
    if is_of_tune(before) || is_of_tune(&now) {
        return Err(Failure::new(Exit::Usage, message)
            .hint("choose another --id, or type the settings as they were"));
    }
    if differing.0.starts_with("header = ") {
        // Its plan has no values of them.
        return Err(Failure::new(Exit::Usage, message)
            .hint("choose another --id, or give the headers that it had again, with -H"));
    }
    let plan = shell::line(["--plan", &folder.join(PLAN_FILE).to_string_lossy()]);
    Err(Failure::new(Exit::Usage, message)
        .hint(format!("choose another --id, or continue it as it was begun: {plan} instead of the settings that differ")))
}

/// A sweep that goes on with more repetitions than it was begun with: what it is by now, if that is all that differs. Its order begins as it did, so what
/// was measured keeps its place; the sum of its plan stays that of the beginning, by which its records belong together.
pub(super) fn with_more_repetitions(
    (facts, before): &(SweepFacts, String),
    now: &SweepPlan,
) -> Option<SweepFacts> {
    let before = SweepPlan::from_toml(before).ok()?;
    let is_more = before.repeat < now.repeat && now.tune.is_none();
    let asked = SweepPlan {
        repeat: now.repeat,
        ..before
    };
    // As texts, as a plan that was written has no values of headers.
    (is_more && asked.to_toml() == now.to_toml()).then(|| SweepFacts {
        repetitions: now.repeat,
        ..facts.clone()
    })
}

/// Writes down that a sweep has more repetitions than it was begun with. Once they are agreed to: until then its earlier command continues it.
pub(super) fn keep_repetitions(job: &SweepJob, folder: &Folder) -> Result<(), Failure> {
    let begun = folder.begun()?;
    if let Some(facts) = begun.and_then(|begun| with_more_repetitions(&begun, &job.plan)) {
        // The plan last: as long as it is the earlier one, all of this is done again.
        folder.write_facts(&facts)?;
        folder.write(PLAN_FILE, &job.plan.to_toml())?;
    }
    Ok(())
}

/// The first lines in which two plans differ. A setting that one of them lacks is compared with nothing, not with the setting that follows.
fn differing<'a>(before: &'a str, now: &'a str) -> (&'a str, &'a str) {
    let (mut old, mut new) = (before.lines(), now.lines());
    let (old, new) = loop {
        match (old.next(), new.next()) {
            (Some(a), Some(b)) if a == b => {}
            pair => break pair,
        }
    };
    let is_missing = |line: Option<&str>, plan: &str| {
        let name = line.and_then(|line| line.split_once(" = "));
        name.is_some_and(|(name, _)| {
            !plan
                .lines()
                .any(|line| line.starts_with(&format!("{name} = ")))
        })
    };
    match (old, new) {
        (Some(a), _) if is_missing(old, now) => (a, "nothing"),
        (_, Some(b)) if is_missing(new, before) => ("nothing", b),
        (a, b) => (a.unwrap_or("nothing"), b.unwrap_or("nothing")),
    }
}

/// A line may have all URLs of a sweep.
fn shortened(line: &str) -> String {
    const LETTERS: usize = 300;
    match line.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// What a repetition that goes through its keys once has to find.
pub(super) fn expected(
    job: &SweepJob,
    folder: &Folder,
    facts: &SweepFacts,
) -> Result<ExpectedKeys, Failure> {
    if let Some(requests) = &job.requests {
        return Ok(ExpectedKeys {
            objects: requests.count(),
            bytes: None,
            keys: None,
        });
    }
    let has_contenders = !job.plan.contender.is_empty();
    let keys = has_contenders
        .then(|| KeySum::of(&folder.keys_path(), job.plan.limit))
        .transpose()?;
    Ok(match job.plan.limit {
        Some(limit) if limit < facts.frozen().0 => ExpectedKeys {
            objects: limit,
            bytes: None,
            keys,
        },
        _ => ExpectedKeys {
            objects: facts.frozen().0,
            bytes: facts.frozen().1,
            keys,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_plan_is_refused_with_what_differs() {
        let same_plan =
            |before, now| super::same_plan(before, now, "s", Path::new("./my results/sweeps/s"));
        assert!(same_plan("a = 1\n", "a = 1\n").is_ok());
        let error = same_plan("a = 1\nseed = 1\n", "a = 1\nseed = 2\n").unwrap_err();
        assert_eq!(
            error.message,
            "the sweep s was begun with another plan: it had `seed = 1`, and now there is `seed = 2`"
        );
        let tune = same_plan("[tune]\nseed = 1\n", "[tune]\nseed = 2\n").unwrap_err();
        let of_tune = error.message.replace("the sweep", "the tune");
        assert_eq!(tune.message, of_tune);
        let hint = "choose another --id, or continue it as it was begun: --plan './my results/sweeps/s/plan.toml' instead of the settings that differ";
        assert_eq!(error.hint.as_deref(), Some(hint));
        assert!(
            same_plan("a = 1\n", "a = 1\nb = 2\n")
                .unwrap_err()
                .message
                .ends_with("it had `nothing`, and now there is `b = 2`")
        );
        let error = same_plan(
            "header = [\"x-key\"]\nwork = \"none\"\n",
            "work = \"none\"\n",
        )
        .unwrap_err();
        assert!(
            error
                .message
                .ends_with("it had `header = [\"x-key\"]`, and now there is `nothing`")
                && error.hint.unwrap().ends_with("with -H"),
            "{}",
            error.message
        );
        assert!(
            same_plan(
                "work = \"none\"\n",
                "header = [\"x-key\"]\nwork = \"none\"\n"
            )
            .unwrap_err()
            .message
            .ends_with("it had `nothing`, and now there is `header = [\"x-key\"]`")
        );
        assert!(
            same_plan("a = 1\n", "a = 1\nsample = \"all\"\n").is_ok(),
            "before there were samples every key was fetched"
        );
        let error = same_plan("a = 1\n", "a = 1\nsample = \"auto\"\n").unwrap_err();
        assert_eq!(
            error.message,
            "the sweep s was begun with every key, and now there is a sample"
        );
    }
}
