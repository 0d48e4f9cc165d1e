//! The settings of `submit`: what children do together, their number and size, where they run, and what may be spent.

use std::path::PathBuf;
use std::time::Duration;

use super::fetching::{PlanParts, run_plan};
use super::notes::Notes;
use super::reader::{SettingReader, usage};
use super::shown::{LogSettings, ProgressWhen, log, progress_when};
use super::source::{access_of, bucket, bucket_name, embedded_options};
use super::{cost_policy, lists, proxy, selection, sweep};
use crate::cli::{Given, Raw};
use crate::cloud::MAX_CHILDREN;
use crate::estimate::CostConsent;
use crate::exit::Failure;
use crate::plan::ranges::memory_mib;
use crate::plan::{ClientKind, Destination, Limits, Mode, ObjectSource, RunPlan, Selection};
use crate::price;
use crate::results::DEFAULT_OUT;
use crate::server;
use crate::submit::{Afterwards, BatchJob, Division, JobQueue};
use crate::sweep::plan::cpu_units;

/// Children that may each list the bucket without being asked twice.
const FEW_LISTINGS: u64 = 20;
/// Time between two looks, where nothing is given.
const POLL: Duration = Duration::from_secs(5);
/// What stands for a name that a dry run does not need.
const UNNAMED: &str = "-";

/// Everything `submit` was asked for.
#[derive(Clone, Debug)]
pub struct SubmitSettings {
    /// The job.
    pub job: BatchJob,
    /// Whether to say only what would be done.
    pub dry_run: bool,
    /// Folder of `jobs/ID`, where the page goes.
    pub out: PathBuf,
    /// Another price list.
    pub prices: Option<PathBuf>,
    /// Progress.
    pub progress: ProgressWhen,
    /// Log lines.
    pub log: LogSettings,
    /// Settings that another makes meaningless, and what wins.
    pub warnings: Vec<String>,
}

/// The settings of `submit`; `id` is the name of a job that was given none.
pub fn submit(raw: &Raw, id: &str) -> Result<SubmitSettings, Failure> {
    let (settings, notes) = given(raw, id)?;
    Ok(SubmitSettings {
        warnings: notes.settled()?,
        ..settings
    })
}

/// Whether what was given is right, while a stack that is to be asked may bring what is missing.
pub fn check_submit(raw: &Raw, id: &str) -> Result<(), Failure> {
    given(raw, id).map(|_incomplete| ())
}

/// The settings as they were given, without the warnings.
fn given(raw: &Raw, id: &str) -> Result<(SubmitSettings, Notes), Failure> {
    let reader = SettingReader(raw);
    let mut notes = Notes::default();
    let dry_run = reader.switch("dry-run")?;
    let embedded = embedded_options(raw)?;
    if let (Some(given), false) = (raw.get("embedded").filter(|_| embedded.is_some()), dry_run) {
        return Err(usage(
            format!("{}: no task reaches a server on this machine", given.name),
            "--dry-run plans for its keys",
        ));
    }
    let shards = shards(&reader, &mut notes)?;
    let run = run(raw, embedded.as_ref(), &mut notes)?;
    // A dry run needs no names.
    let missing = |what| (!dry_run).then_some(what);
    let queue = named(raw, "queue", missing("no job queue is given"), &mut notes);
    let definition = named(
        raw,
        "job-definition",
        missing("no job definition is given"),
        &mut notes,
    );
    let job = BatchJob {
        id: sweep::id(raw, id)?,
        shards,
        division: division(&reader, shards)?,
        // A proxy of this machine is none of the children's: only the listing has to go through it.
        pages: if proxy::check_lean(raw, &run).is_ok() {
            run.client
        } else {
            ClientKind::Sdk
        },
        run,
        size: size(&reader)?,
        queue: JobQueue {
            queue,
            definition,
            most_vcpu: positive(raw, "max-vcpus", "vCPU that the queue runs at once")?,
            arch: reader
                .one_of("arch", ARCHITECTURES)?
                .unwrap_or("x86_64")
                .to_owned(),
            disk_gib: reader
                .number("task-disk", 20..=200, "GiB of disk of a task")?
                .and_then(|gib| u32::try_from(gib).ok())
                .unwrap_or(20),
        },
        embedded,
        poll: reader.time("poll-interval")?.unwrap_or(POLL),
        afterwards: if reader.switch("detach")? {
            Afterwards::Leave
        } else {
            Afterwards::Wait
        },
        consent: consent(raw, &mut notes)?,
        max_bytes: cost_policy::max_bytes(raw)?,
        redo_failed: reader.switch("redo-failed")?,
    };
    if job.redo_failed && job.afterwards == Afterwards::Leave {
        return Err(usage(
            "--redo-failed looks which children did not end well, and --detach does not wait",
            "leave one of them out",
        ));
    }
    if let Some(most) = job.queue.most_vcpu.filter(|most| *most < job.vcpu()) {
        let message = format!(
            "each child wants {} vCPU, and the queue runs {most} at once: it would wait for ever",
            job.vcpu()
        );
        return Err(usage(
            message,
            "take a smaller --vcpu, or raise the stack's BatchMaxVcpus",
        ));
    }
    let settings = SubmitSettings {
        job,
        dry_run,
        out: reader
            .path("out")
            .unwrap_or_else(|| PathBuf::from(DEFAULT_OUT)),
        prices: reader.path("prices"),
        progress: progress_when(&reader)?,
        log: log(raw)?,
        warnings: Vec::new(),
    };
    Ok((settings, notes))
}

/// As people, Docker, Rust and ECS write them.
const ARCHITECTURES: &[(&str, &str)] = &[
    ("x86_64", "x86_64"),
    ("arm64", "arm64"),
    ("X86_64", "x86_64"),
    ("ARM64", "arm64"),
    ("amd64", "x86_64"),
    ("aarch64", "arm64"),
];

/// What the children do together.
fn run(
    raw: &Raw,
    embedded: Option<&server::Options>,
    notes: &mut Notes,
) -> Result<RunPlan, Failure> {
    let reader = SettingReader(raw);
    if let Some(given) = raw.variables.get(selection::SAMPLE_VARIABLE) {
        let message = format!(
            "{} is `{given}`, and a job fetches every key",
            selection::SAMPLE_VARIABLE
        );
        return Err(usage(
            message,
            "unset it; `parfetch run --sample auto` and `parfetch sweep` fetch a sample",
        ));
    }
    if raw.get("bucket").is_none() && embedded.is_none() {
        notes.lacks(usage("no source bucket is given", "name it, like `parfetch submit s3://images`, or the stack with --stack, or set BUCKET_NAME"));
    }
    let parts = PlanParts {
        source: ObjectSource::Bucket(bucket(raw, embedded, notes)?),
        selection: Selection {
            source: selection::one_source(raw)?,
            prefix: reader.text("prefix").unwrap_or_default(),
            limit: reader.number("limit", 1..=u64::from(u32::MAX), "keys")?,
            sample: None,
            shard: None,
        },
        mode: reader.word("mode")?.unwrap_or(Mode::Async),
        access: access_of(raw, embedded, notes)?,
        destination: destination(raw, notes)?,
        limits: Limits::default(),
    };
    let plan = run_plan(raw, parts)?;
    if plan.destination.bucket.as_deref() == Some(plan.source.bucket()) {
        return Err(usage(
            format!(
                "the results bucket {} is the source bucket",
                plan.source.bucket()
            ),
            "a job writes to another bucket than it reads",
        ));
    }
    proxy::check_directory_bucket(&plan)?;
    if let (Some(given), true) = (raw.get("limit"), reader.switch("hash")?) {
        return Err(usage(
            format!("{} goes with key files alone", given.name),
            "leave --hash out: each child would take the limit of its own keys",
        ));
    }
    if let (Some(given), true) = (raw.get("keys"), reader.switch("hash")?) {
        return Err(usage(
            format!("--hash lists the bucket, and {} names keys", given.name),
            "leave --hash out",
        ));
    }
    Ok(plan)
}

fn destination(raw: &Raw, notes: &mut Notes) -> Result<Destination, Failure> {
    let reader = SettingReader(raw);
    let bucket = raw
        .get("result-bucket")
        .map(|given| bucket_name(given, "--result-prefix goes in front of the results' names"))
        .transpose()?;
    // A dry run needs no names.
    if bucket.is_none() && !reader.switch("dry-run")? {
        notes.lacks(usage(
            "no results bucket is given",
            "-r s3://results names it, or --stack, or set RESULT_BUCKET_NAME",
        ));
    }
    Ok(Destination {
        bucket: Some(bucket.unwrap_or_else(|| UNNAMED.to_owned())),
        prefix: reader.text("result-prefix").unwrap_or_default(),
        out: None,
        spool_dir: reader.path("spool-dir"),
        no_overwrite: false,
    })
}

/// A name, or what stands for it where a dry run needs none, and while it is missing.
fn named(raw: &Raw, flag: &str, missing: Option<&str>, notes: &mut Notes) -> String {
    let Some(given) = raw.get(flag) else {
        if let Some(missing) = missing {
            notes.lacks(usage(
                missing,
                format!(
                    "name it with --{flag}, or a --stack that was deployed with EnableBatch=true"
                ),
            ));
        }
        return UNNAMED.to_owned();
    };
    given.value.clone()
}

/// How many tasks; one while it is missing.
fn shards(reader: &SettingReader<'_>, notes: &mut Notes) -> Result<u32, Failure> {
    let number = reader.number(
        "shards",
        1..=u64::from(MAX_CHILDREN),
        "tasks that share the keys",
    )?;
    let number = number.and_then(|number| u32::try_from(number).ok());
    if number.is_none() {
        notes.lacks(usage(
            "how many tasks share the keys is not given",
            "--shards N, 1 to 10,000; --dry-run says what that would take",
        ));
    }
    Ok(number.unwrap_or(1))
}

fn division(reader: &SettingReader<'_>, shards: u32) -> Result<Division, Failure> {
    if !reader.switch("hash")? {
        return Ok(Division::Manifest);
    }
    if u64::from(shards) > FEW_LISTINGS && !reader.switch("force")? {
        let message = format!("--hash with {shards} shards lists the whole bucket {shards} times");
        return Err(usage(
            message,
            "leave --hash out: the keys are listed once and divided; --force lists all the same",
        ));
    }
    Ok(Division::Hash)
}

/// A size that Fargate has.
fn size(reader: &SettingReader<'_>) -> Result<(u32, u32), Failure> {
    let vcpu = reader.text("vcpu").unwrap_or_else(|| "1".to_owned());
    let known = vcpu
        .parse()
        .ok()
        .and_then(cpu_units)
        .and_then(|units| Some((units, price::fargate_memories(units)?)));
    let (units, memories) = known.ok_or_else(|| {
        usage(
            format!("Fargate has no size of {vcpu} vCPUs"),
            "it has 0.25, 0.5, 1, 2, 4, 8, 16 and 32",
        )
    })?;
    let memory = reader.text("memory").unwrap_or_else(|| "auto".to_owned());
    if memory == "auto" {
        return Ok((units, *memories.first().expect("a size has memories")));
    }
    let mib = memory_mib(&memory).ok_or_else(|| {
        usage(
            format!("--memory is `{memory}`, which is neither auto nor a size"),
            "write it like 2048, which are MiB, or like 2GB",
        )
    })?;
    if memories.contains(&mib) {
        Ok((units, mib))
    } else {
        Err(lists::no_such_pair(f64::from(units) / 1024.0, (units, mib)))
    }
}

fn positive(raw: &Raw, flag: &str, what: &str) -> Result<Option<f64>, Failure> {
    let Some(Given { value, name }) = raw.get(flag) else {
        return Ok(None);
    };
    match value.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(Some(number)),
        _ => Err(usage(
            format!("{name} is `{value}`, which is not a number above 0"),
            what,
        )),
    }
}

fn consent(raw: &Raw, notes: &mut Notes) -> Result<CostConsent, Failure> {
    let yes = SettingReader(raw).switch("yes")?;
    Ok(match positive(raw, "max-cost", "USD")? {
        Some(most) => {
            if yes {
                notes.warn("--yes is not used: --max-cost holds".to_owned());
            }
            CostConsent::UpTo(most)
        }
        None if yes => CostConsent::Given,
        None => CostConsent::NotGiven,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Invocation, Variables, parse};

    fn given(words: &str) -> Result<SubmitSettings, Failure> {
        let arguments = ["parfetch", "submit"]
            .into_iter()
            .chain(words.split_whitespace())
            .map(Into::into);
        let Ok(Invocation::Submit(mut raw)) = parse(arguments, Variables::default()) else {
            panic!("not a job")
        };
        raw.below(
            "--stack",
            [
                ("bucket", "images".to_owned()),
                ("arch", "ARM64".to_owned()),
                ("max-vcpus", "6".to_owned()),
            ],
        );
        submit(&raw, "now")
    }

    const WHOLE: &str = "-r results --result-prefix parfetch/ --queue q --job-definition d";

    #[test]
    fn a_job_is_what_was_given_over_what_the_stack_says() {
        let job = given(&format!("{WHOLE} -n 8 --vcpu 0.5 -c 64 --limit 7"))
            .unwrap()
            .job;
        assert_eq!(
            (job.id.as_str(), job.shards, job.division, job.size),
            ("now", 8, Division::Manifest, (512, 1_024))
        );
        assert_eq!(
            (
                job.run.source.bucket(),
                job.run.concurrency.get(),
                job.run.selection.limit
            ),
            ("images", 64, Some(7))
        );
        assert_eq!(
            job.queue,
            JobQueue {
                queue: "q".to_owned(),
                definition: "d".to_owned(),
                most_vcpu: Some(6.0),
                arch: "arm64".to_owned(),
                disk_gib: 20
            }
        );
        assert_eq!(
            (job.consent, job.afterwards),
            (CostConsent::NotGiven, Afterwards::Wait),
            "nothing is spent unasked"
        );
        assert_eq!(
            given(&format!("{WHOLE} -n 8 --yes")).unwrap().job.consent,
            CostConsent::Given
        );
        let both = given(&format!("{WHOLE} -n 8 --yes --max-cost 2.5 --detach")).unwrap();
        assert_eq!(
            (both.job.consent, both.job.afterwards, both.warnings.len()),
            (CostConsent::UpTo(2.5), Afterwards::Leave, 1)
        );
        let limited = given(&format!("{WHOLE} -n 8 --yes --max-bytes 50GB"))
            .unwrap()
            .job;
        assert_eq!(
            (limited.max_bytes, limited.consent, job.max_bytes),
            (Some(50_000_000_000), CostConsent::Given, None)
        );
        let wrong = given(&format!("{WHOLE} -n 8 --max-bytes much")).unwrap_err();
        assert_eq!(
            wrong.message,
            "--max-bytes is `much`, which is not a size above 0"
        );
    }

    #[test]
    fn a_dry_run_needs_no_names() {
        let settings = given("-n 10000 --dry-run --embedded=objects=5").unwrap();
        assert!(
            settings.dry_run && settings.job.embedded.is_some() && settings.job.queue.queue == "-"
        );
        assert!(given("-n 10000 --dry-run").is_ok());
    }

    #[test]
    fn a_proxy_of_this_machine_is_for_the_listing_alone() {
        let arguments =
            || ["parfetch", "submit", "-b", "images", "-n", "8", "--dry-run"].map(Into::into);
        let pages = |variables: Variables| {
            let Ok(Invocation::Submit(raw)) = parse(arguments(), variables) else {
                panic!("not a job")
            };
            let job = submit(&raw, "now").unwrap().job;
            (job.pages, job.run.client)
        };
        assert_eq!(
            pages(Variables::default()),
            (ClientKind::Lean, ClientKind::Lean)
        );
        assert_eq!(
            pages(Variables::from([("HTTPS_PROXY", "http://proxy:3128")])),
            (ClientKind::Sdk, ClientKind::Lean)
        );
    }

    #[test]
    fn what_cannot_be_submitted_is_refused() {
        let said = |words: &str| given(words).unwrap_err().message;
        assert_eq!(
            said("-c 1..64"),
            "--concurrency is `1..64`, which is not a whole number from 1 to 65535",
            "before what is missing"
        );
        assert_eq!(
            said("--poll-interval x"),
            "--poll-interval is `x`, which is not a length of time above 0",
            "before what is missing"
        );
        assert_eq!(
            said("-r results"),
            "how many tasks share the keys is not given"
        );
        assert_eq!(said("-n 10001"), "--shards is 10001, outside 1 to 10000");
        assert_eq!(said("-n 8"), "no results bucket is given");
        assert_eq!(said("-n 8 -r results"), "no job queue is given");
        assert_eq!(
            said("-n 8 -r results -b x--x-s3"),
            "the client lean cannot read the directory bucket x--x-s3"
        );
        assert_eq!(
            said("-n 8 -r images --queue q --job-definition d"),
            "the results bucket images is the source bucket"
        );
        assert_eq!(
            said("-n 8 -r results --embedded"),
            "--embedded: no task reaches a server on this machine"
        );
        let said = |words: &str| given(&format!("{WHOLE} {words}")).unwrap_err().message;
        assert_eq!(
            said("-n 21 --hash"),
            "--hash with 21 shards lists the whole bucket 21 times"
        );
        assert_eq!(
            given(&format!("{WHOLE} -n 21 --hash --force"))
                .unwrap()
                .job
                .division,
            Division::Hash
        );
        assert_eq!(
            given(&format!("{WHOLE} -n 20 --hash"))
                .unwrap()
                .job
                .division,
            Division::Hash
        );
        assert_eq!(
            said("-n 8 --hash --limit 5"),
            "--limit goes with key files alone"
        );
        assert_eq!(
            said("-n 8 --hash --keys k.tsv"),
            "--hash lists the bucket, and --keys names keys"
        );
        assert_eq!(
            said("-n 8 --vcpu 8"),
            "each child wants 8 vCPU, and the queue runs 6 at once: it would wait for ever"
        );
        assert_eq!(said("-n 8 --vcpu 3"), "Fargate has no size of 3 vCPUs");
        assert_eq!(
            said("-n 8 --vcpu 1 --memory 512"),
            "Fargate has no 1 vCPU with 512 MiB"
        );
        assert_eq!(
            said("-n 8 --memory 2x"),
            "--memory is `2x`, which is neither auto nor a size"
        );
        for memory in ["3072", "3GB"] {
            let job = given(&format!("{WHOLE} -n 8 --memory {memory}"))
                .unwrap()
                .job;
            assert_eq!(job.size.1, 3_072, "{memory}");
        }
        assert_eq!(
            said("-n 8 --max-cost -1"),
            "--max-cost is `-1`, which is not a number above 0"
        );
        assert_eq!(
            said("-n 8 --keys s3://results/keys/"),
            "--keys: `s3://results/keys/` is a folder of key files, one a shard, and there is no shard"
        );
        assert!(
            said(&format!("-n 8 --id {}", "x".repeat(41)))
                .contains("cannot be the name of a folder")
        );
    }
}
