//! `parfetch upload`.

use std::io::{self, Write};

use super::process::{block_on, start_log};
use super::signals::{First, Signals};
use crate::cli::Raw;
use crate::exit::{Exit, Failure};
use crate::plan::Limits;
use crate::results::place::PlaceError;
use crate::results::upload::upload_folder;
use crate::settings::{self, UploadSettings};
use crate::store::{Bucket, Replace, Session, StoreErrorKind};

pub(super) fn main(raw: &Raw) -> Result<Exit, Failure> {
    let settings = settings::upload(raw)?;
    start_log(settings::log(raw)?);
    let signals = Signals::listen(
        First::EndsAtOnce,
        Some("what was stored stays; the same command stores the rest"),
    )?;
    block_on(signals.or(upload(&settings)))
}

async fn upload(settings: &UploadSettings) -> Result<Exit, Failure> {
    let UploadSettings {
        dir,
        target,
        no_overwrite,
        access,
    } = settings;
    if !dir.is_dir() {
        return Err(
            Failure::new(Exit::Usage, format!("{} is not a folder", dir.display()))
                .hint("parfetch upload DIR s3://bucket"),
        );
    }
    let session = Session::load(access, Limits::default(), None).await?;
    let replace = if *no_overwrite {
        Replace::No
    } else {
        Replace::Yes
    };
    let stored = upload_folder(
        dir,
        &mut Bucket::new(&session, &target.bucket),
        (&target.key, replace),
    )
    .await
    .map_err(|error| not_stored(&error))?;
    if stored.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            format!("there are no results in {}", dir.display()),
        )
        .hint("results are called result_….csv and result_….json"));
    }
    let mut stdout = io::stdout().lock();
    for key in stored {
        // A closed pipe does not undo what is stored.
        let _closed = writeln!(stdout, "s3://{}/{key}", target.bucket);
    }
    Ok(Exit::Good)
}

fn not_stored(error: &PlaceError) -> Failure {
    let exists = matches!(error, PlaceError::Store(error) if error.kind == StoreErrorKind::Exists);
    let hint = if exists {
        Some("leave --no-overwrite out, or choose another prefix".to_owned())
    } else {
        error.hint()
    };
    Failure {
        exit: Exit::NotStored,
        hint,
        message: format!("results not stored: {error}"),
    }
}
