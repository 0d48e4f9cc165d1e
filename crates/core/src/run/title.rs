//! The line that a run begins with.

use crate::plan::{HttpSource, Order, RunPlan};
use crate::results::summary::Header;
use crate::units;

/// What a run fetches from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ServedBy {
    /// The server that this command started.
    Embedded,
    /// S3, or whatever stands in for it.
    Store,
}

impl ServedBy {
    /// The server, when this command started one.
    pub(super) fn of<T>(embedded: Option<&T>) -> Self {
        embedded.map_or(Self::Store, |_| Self::Embedded)
    }
}

/// `parfetch s3://images → s3://results · async × 32 · lean client · 2 vCPUs (ECS task limit) · us-east-1`
pub(super) fn title(plan: &RunPlan, header: &Header, reached: ServedBy) -> String {
    let from = match reached {
        ServedBy::Embedded => "embedded server".to_owned(),
        ServedBy::Store => plan
            .source
            .uri(&plan.selection.prefix)
            .trim_end_matches('/')
            .to_owned(),
    };
    let to = match (&plan.destination.bucket, &plan.destination.out) {
        (Some(bucket), _) => format!(
            " → {}",
            format!("s3://{bucket}/{}", plan.destination.prefix).trim_end_matches('/')
        ),
        (None, Some(out)) => format!(" → {}", out.display()),
        // A look ahead needs no place for results.
        (None, None) => String::new(),
    };
    let vcpu = &header.environment.vcpu;
    let size = match (vcpu.limit_vcpu, vcpu.source) {
        (Some(limit), Some(source)) => format!(
            "{limit} vCPU{} ({})",
            if limit > 1.0 { "s" } else { "" },
            source.in_words()
        ),
        _ => "vCPUs unknown".to_owned(),
    };
    let mut parts = vec![
        format!("parfetch {from}{to}"),
        format!("{} × {}", plan.mode, plan.concurrency),
    ];
    match plan.source.http() {
        None => parts.push(format!("{} client", plan.client)),
        Some(http) => parts.extend(of_requests(http)),
    }
    parts.extend((plan.layout.order != Order::Listed).then(|| plan.layout.order.to_string()));
    parts.extend(
        plan.layout
            .part_size
            .map(|size| format!("parts of {}", units::bytes(size.get()))),
    );
    parts.push(size);
    if reached == ServedBy::Store && plan.source.is_bucket() {
        // A store of its own has no region that says anything.
        parts.push(
            header
                .endpoint
                .clone()
                .or_else(|| header.region.clone())
                .unwrap_or_else(|| "region unknown".to_owned()),
        );
    }
    parts.join(" · ")
}

/// What is sent to a web server, where it is more than a GET.
fn of_requests(http: &HttpSource) -> Vec<String> {
    let mut parts = Vec::new();
    let is_get = http.method == crate::plan::Method::default();
    parts.extend((!is_get).then(|| http.method.as_str().to_owned()));
    parts.extend(
        http.requests
            .map(|requests| units::plural(requests.get(), "request")),
    );
    let names: Vec<_> = http
        .headers
        .iter()
        .map(|header| header.name.as_str())
        .collect();
    parts.extend((!names.is_empty()).then(|| format!("with {}", names.join(", "))));
    parts.extend((!http.keep_alive).then(|| "a connection for each request".to_owned()));
    parts
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;
    use crate::plan::Layout;
    use crate::platform::limits::VcpuSource;
    use crate::results::summary::fixture;

    fn header() -> Header {
        let mut header = fixture::header();
        header.environment.vcpu.limit_vcpu = Some(2.0);
        header.environment.vcpu.source = Some(VcpuSource::Ecs);
        header
    }

    #[test]
    fn it_says_from_where_to_where_and_how() {
        let mut plan = fixture::plan();
        assert_eq!(
            title(&plan, &header(), ServedBy::Store),
            "parfetch s3://images → s3://results · async × 32 · lean client · 2 vCPUs (ECS task limit) · us-east-1"
        );
        let mut ahead = plan.clone();
        ahead.destination.bucket = None;
        assert!(
            title(&ahead, &header(), ServedBy::Store).starts_with("parfetch s3://images · async")
        );
        plan.selection.prefix = "2024/".to_owned();
        plan.layout = Layout {
            order: Order::LargestFirst,
            part_size: NonZeroU64::new(8_000_000),
        };
        let other = Header {
            endpoint: Some("http://127.0.0.1:9000".to_owned()),
            ..header()
        };
        assert_eq!(
            title(&plan, &other, ServedBy::Store),
            "parfetch s3://images/2024 → s3://results · async × 32 · lean client · largest-first · parts of 8.00 MB · 2 vCPUs (ECS task limit) · http://127.0.0.1:9000"
        );
    }

    #[test]
    fn the_embedded_server_has_no_name_and_no_region() {
        let mut plan = fixture::plan();
        (plan.destination.bucket, plan.destination.out) = (None, Some("./parfetch-results".into()));
        let mut header = header();
        header.environment.vcpu.limit_vcpu = Some(0.5);
        assert_eq!(
            title(&plan, &header, ServedBy::Embedded),
            "parfetch embedded server → ./parfetch-results · async × 32 · lean client · 0.5 vCPU (ECS task limit)"
        );
    }
}
