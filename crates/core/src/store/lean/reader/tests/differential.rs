//! The same answers to hyper: what this reader takes for whole, hyper takes for whole too, and for the same.

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// Status and body, when hyper finds them whole.
async fn by_hyper(bytes: &[u8]) -> Option<(u16, Vec<u8>)> {
    let (near, mut far) = tokio::io::duplex(1 << 20);
    let (mut sender, connection) = handshake(TokioIo::new(near)).await.unwrap();
    let server = async {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            far.read_buf(&mut request).await.unwrap();
        }
        // hyper may have had enough of them already.
        let _cut = far.write_all(bytes).await;
        drop(far);
    };
    let client = async {
        let request = hyper::Request::get("/")
            .header("host", "h")
            .body(Empty::<Bytes>::new())
            .unwrap();
        let answer = sender.send_request(request).await.ok()?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.ok()?;
        Some((status, body.to_bytes().to_vec()))
    };
    let ((), _ended, answer) = tokio::join!(server, connection, client);
    answer
}

/// hyper also reads trailers, and finds fault with some; beyond that it is never the stricter one.
pub(super) async fn agrees(bytes: &[u8]) {
    let ours = read_pieces([bytes], None, ConnectionEnd::Clean);
    let theirs = by_hyper(bytes).await;
    let text = String::from_utf8_lossy(bytes);
    let chunked = text.to_ascii_lowercase().contains("chunked");
    match (ours.whole, theirs) {
        (true, Some((status, body))) => {
            let own = if (200..300).contains(&ours.status) {
                ours.told.body
            } else {
                ours.document
            };
            assert_eq!((ours.status, own), (status, body), "{text:?}");
        }
        (true, None) => assert!(chunked, "only this reader takes it for whole: {text:?}"),
        (false, _) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn answers_of_good_servers_are_the_same_for_both((bytes, body) in answers()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        prop_assert_eq!(runtime.block_on(by_hyper(&bytes)), Some((200, body)));
        runtime.block_on(agrees(&bytes));
    }
}
