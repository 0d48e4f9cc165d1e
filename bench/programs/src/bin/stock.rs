//! What a program on aws-sdk-s3 as it comes costs: N tasks on a current-thread runtime share a client and count the bytes of one object after another.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::DisplayErrorContext;
use parfetch_bench_programs::{Arguments, Phase};

fn main() -> Result<(), String> {
    let arguments = Arguments::read()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let line = tokio::task::LocalSet::new().block_on(&runtime, run(arguments))?;
    println!("{line}");
    Ok(())
}

async fn run(arguments: Arguments) -> Result<String, String> {
    let shared = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    let config = aws_sdk_s3::config::Builder::from(&shared)
        .endpoint_url(&arguments.endpoint)
        .force_path_style(true)
        .build();
    let client = Client::from_conf(config);
    let bucket: Rc<str> = arguments.bucket.into();
    let keys = Rc::new(RefCell::new(arguments.keys.into_iter()));
    let (requests, bytes) = (Rc::new(Cell::new(0_u64)), Rc::new(Cell::new(0_u64)));
    let phase = Phase::begin();
    let tasks: Vec<_> = (0..arguments.concurrency)
        .map(|_| {
            let (client, bucket, keys) = (client.clone(), Rc::clone(&bucket), Rc::clone(&keys));
            let (requests, bytes) = (Rc::clone(&requests), Rc::clone(&bytes));
            tokio::task::spawn_local(async move {
                loop {
                    let Some(key) = keys.borrow_mut().next() else {
                        return Ok(());
                    };
                    let length = fetch(&client, &bucket, &key)
                        .await
                        .map_err(|error| format!("{key}: {error}"))?;
                    requests.set(requests.get() + 1);
                    bytes.set(bytes.get() + length);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await
            .map_err(|error| error.to_string())?
            .map_err(|error: String| error)?;
    }
    Ok(phase.end(requests.get(), bytes.get()))
}

async fn fetch(client: &Client, bucket: &str, key: &str) -> Result<u64, String> {
    let mut body = client
        .get_object()
        .bucket(bucket)
        .key(key)
        .send()
        .await
        .map_err(|error| DisplayErrorContext(error).to_string())?
        .body;
    let mut length = 0;
    while let Some(chunk) = body.next().await {
        length += chunk.map_err(|error| error.to_string())?.len() as u64;
    }
    Ok(length)
}
