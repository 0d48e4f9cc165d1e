//! The addresses that Fargate's variables name, in a network of the test's own: 169.254.170.2 answers for credentials and metadata alike.
#![cfg(target_os = "linux")]

use std::net::Ipv4Addr;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::metadata::documents;
use super::role::Role;
use super::store::Store;
use crate::support::strict::Invocation;

const ADDRESS: Ipv4Addr = Ipv4Addr::new(169, 254, 170, 2);
const SET_UP: &str = "ip link set lo up && ip addr add 169.254.170.2/32 dev lo";
const DONE: &str = "fetched in a network of its own";

fn unshared(script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["-rn", "sh", "-c", script, "sh"]);
    command
}

#[test]
fn the_addresses_of_fargate_are_used_as_they_stand() {
    if !unshared(SET_UP)
        .output()
        .is_ok_and(|output| output.status.success())
    {
        println!("skipped: this machine permits no network namespaces (unshare -rn, ip)");
        return;
    }
    let mut inside = unshared(&format!("{SET_UP} && exec \"$@\""));
    inside.arg(std::env::current_exe().unwrap()).args([
        "--ignored",
        "--exact",
        "in_task::network::inside",
        "--nocapture",
    ]);
    let output = inside.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains(DONE),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
#[ignore = "is run by the_addresses_of_fargate_are_used_as_they_stand, where that address is its own"]
fn inside() {
    let role = Role::new(Duration::from_secs(4));
    let Ok(_agent) = role.serve_at((ADDRESS, 80).into(), documents) else {
        println!("skipped: {ADDRESS} is no address of this machine");
        return;
    };
    let store = Store::of(&role, Duration::from_millis(20));
    let said = Invocation::run_at(&store.server.url())
        .unset(&[
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
        ])
        .env(&[
            ("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE"),
            (
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                "/v2/credentials/0b1c",
            ),
            (
                "ECS_CONTAINER_METADATA_URI_V4",
                "http://169.254.170.2/v4/0123456789abcdef0123456789abcdef-2886439692",
            ),
        ])
        .args(&["-c", "4", "-m", "process", "-o", "out", "--duration", "5s"])
        .go();
    said.exits(0);
    assert_eq!(store.refused(), Vec::<String>::new());
    role.was_asked_in_moderation();
    assert!(store.used() >= 2, "renewed meanwhile");
    let summary: Value = serde_json::from_str(&said.read("out/result_run_process_4.json")).unwrap();
    assert_eq!(summary["environment"]["vcpu"]["source"], "ecs");
    assert_eq!(summary["environment"]["ecs_at_end"]["family"], "parfetch");
    println!("{DONE}");
}
