//! Places on this machine: taken, replaced, kept.

use std::io;
use std::os::unix::fs::MetadataExt;

use super::*;

fn to(dir: &Path) -> Destination {
    Destination {
        bucket: None,
        prefix: String::new(),
        out: Some(dir.to_owned()),
        spool_dir: None,
        no_overwrite: false,
    }
}

#[tokio::test]
async fn a_second_writer_is_turned_away_and_the_lock_goes_with_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let (place, warnings) = ResultsPlace::prepare(&to(dir.path()), "result_x", None, "{}")
        .await
        .unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    let locked = || {
        File::open(dir.path().join(".result_x.lock"))
            .unwrap()
            .metadata()
            .unwrap()
            .ino()
    };
    let first = locked();
    assert!(matches!(
        ResultsPlace::prepare(&to(dir.path()), "result_x", None, "{}").await,
        Err(PlaceError::Busy { .. })
    ));
    drop(place);
    let (_, warnings) = ResultsPlace::prepare(&to(dir.path()), "result_x", None, "{}")
        .await
        .unwrap();
    assert_eq!(
        (warnings.len(), locked()),
        (1, first),
        "a file that others may have locked is never removed"
    );
    let strict = Destination {
        no_overwrite: true,
        ..to(dir.path())
    };
    assert!(matches!(
        ResultsPlace::prepare(&strict, "result_x", None, "{}").await,
        Err(PlaceError::Exists(_))
    ));
}

#[tokio::test]
async fn earlier_results_stay_until_there_are_rows() {
    let dir = tempfile::tempdir().unwrap();
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).ok();
    for name in ["result_x.csv", "result_x.json"] {
        fs::write(dir.path().join(name), "good").unwrap();
    }
    let (mut place, _) = ResultsPlace::prepare(&to(dir.path()), "result_x", None, "running")
        .await
        .unwrap();
    place.write_json("failed").unwrap();
    assert_eq!(
        ["result_x.json", "result_x.unfinished.json"].map(read),
        ["good", "failed"].map(|text| Some(text.to_owned()))
    );
    assert!(place.leaves_earlier());
    place.take_name();
    place.write_json("new").unwrap();
    assert_eq!(
        ["result_x.json", "result_x.unfinished.json"].map(read),
        [Some("new".to_owned()), None]
    );
    assert_eq!(
        finished_name("a/result_x.unfinished.json").as_deref(),
        Some("a/result_x.json")
    );
}

#[tokio::test]
async fn links_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let elsewhere = dir.path().join("elsewhere");
    fs::write(&elsewhere, "dear").unwrap();
    let link = |name: &str| std::os::unix::fs::symlink(&elsewhere, dir.path().join(name)).unwrap();
    for name in [".result_x.csv.partial", ".result_x.json.partial"] {
        link(name);
    }
    let (place, _) = ResultsPlace::prepare(&to(dir.path()), "result_x", None, "{}")
        .await
        .unwrap();
    place
        .csv_file()
        .write::<PlaceError>(|file| {
            io::Write::write_all(file, b"rows").map_err(|_| PlaceError::Exists(String::new()))
        })
        .unwrap();
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "dear");
    drop(place);
    link(".result_y.lock");
    assert!(matches!(
        ResultsPlace::prepare(&to(dir.path()), "result_y", None, "{}").await,
        Err(PlaceError::Local { .. })
    ));
}

#[tokio::test]
async fn temporary_files_go_once_stored_and_stay_when_kept() {
    let dir = tempfile::tempdir().unwrap();
    let temporary = Destination {
        out: None,
        spool_dir: Some(dir.path().to_owned()),
        ..to(dir.path())
    };
    drop(
        ResultsPlace::prepare(&temporary, "result_x", None, "{}")
            .await
            .unwrap(),
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    let kept = ResultsPlace::prepare(&temporary, "result_x", None, "{}")
        .await
        .unwrap()
        .0
        .keep();
    assert!(kept.join("result_x.json").exists());
}

#[tokio::test]
async fn a_run_that_did_not_begin_leaves_nothing_that_it_made() {
    let dir = tempfile::tempdir().unwrap();
    let made = dir.path().join("a/b");
    let (place, _) = ResultsPlace::prepare(&to(&made), "result_x", None, "{}")
        .await
        .unwrap();
    assert!(place.proved().unmake());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    // What was there stays: another run may have locked a file of this folder.
    fs::write(dir.path().join("result_x.json"), "earlier").unwrap();
    let (place, _) = ResultsPlace::prepare(&to(dir.path()), "result_x", None, "{}")
        .await
        .unwrap();
    assert!(place.proved().unmake());
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).ok();
    assert_eq!(read("result_x.json").as_deref(), Some("earlier"));
    assert_eq!(read("result_x.unfinished.json"), None);
}
