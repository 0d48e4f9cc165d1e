//! The results bucket: put, get, list, delete, multipart, conditions.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};

use super::{code, list_all, serve};

#[tokio::test]
async fn what_is_put_can_be_read_listed_and_deleted() {
    let fixture = serve("objects=1");
    let client = fixture.client();
    let keys = [
        "result_run_async_16.csv",
        "sweeps/one/r01.json",
        "sweeps/one",
        "odd/../ key+%/é🦀",
        "/lead//double/",
        "new\nline",
        "..",
        ".hidden",
    ];
    for key in keys {
        client
            .put_object()
            .bucket("results")
            .key(key)
            .body(ByteStream::from(key.as_bytes().to_vec()))
            .send()
            .await
            .unwrap();
    }
    for key in keys {
        let answer = client
            .get_object()
            .bucket("results")
            .key(key)
            .send()
            .await
            .unwrap();
        assert_eq!(
            answer.e_tag(),
            client
                .head_object()
                .bucket("results")
                .key(key)
                .send()
                .await
                .unwrap()
                .e_tag()
        );
        assert_eq!(
            answer.body.collect().await.unwrap().into_bytes(),
            key.as_bytes()
        );
    }
    let (listed, pages) = list_all(&client, "results", 3).await;
    assert_eq!(pages, 3);
    let mut expected: Vec<&str> = keys.to_vec();
    expected.sort_unstable();
    assert_eq!(listed.keys().collect::<Vec<_>>(), expected);
    let folder = fixture.folder.path().join("results");
    assert_eq!(
        std::fs::read_to_string(folder.join("result_run_async_16.csv")).unwrap(),
        keys[0]
    );
    for key in keys {
        client
            .delete_object()
            .bucket("results")
            .key(key)
            .send()
            .await
            .unwrap();
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
    assert_eq!(
        code(
            client
                .get_object()
                .bucket("results")
                .key(keys[0])
                .send()
                .await
        ),
        "NoSuchKey"
    );
    assert!(
        client
            .delete_object()
            .bucket("results")
            .key(keys[0])
            .send()
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_put_replaces_unless_told_not_to() {
    let fixture = serve("objects=1");
    let client = fixture.client();
    let put = |text: &str| {
        client
            .put_object()
            .bucket("results")
            .key("a/b.csv")
            .body(ByteStream::from(text.as_bytes().to_vec()))
    };
    assert!(put("first").if_none_match("*").send().await.is_ok());
    let refused = put("second").if_none_match("*").send().await;
    assert_eq!(
        refused
            .as_ref()
            .unwrap_err()
            .raw_response()
            .unwrap()
            .status()
            .as_u16(),
        412
    );
    assert_eq!(code(refused), "PreconditionFailed");
    let read = async || {
        client
            .get_object()
            .bucket("results")
            .key("a/b.csv")
            .send()
            .await
            .unwrap()
            .body
            .collect()
            .await
            .unwrap()
            .into_bytes()
    };
    assert_eq!(read().await, "first");
    let third = put("third").send().await.unwrap().e_tag.unwrap();
    assert_eq!(read().await, "third");
    // In the place of what was read, and of nothing else.
    assert!(put("fourth").if_match(&third).send().await.is_ok());
    let late = put("fifth").if_match(&third).send().await;
    assert_eq!(code(late), "PreconditionFailed");
    let gone = put("sixth").key("nothing").if_match(&third).send().await;
    assert_eq!(code(gone), "NoSuchKey");
    assert_eq!(read().await, "fourth");
}

#[tokio::test]
async fn bodies_that_do_not_match_their_checksum_are_refused() {
    let fixture = serve("objects=1");
    let client = fixture.client();
    let put = || {
        client
            .put_object()
            .bucket("results")
            .key("a")
            .body(ByteStream::from_static(b"hello"))
    };
    assert_eq!(
        code(put().checksum_crc32("AAAAAA==").send().await),
        "BadDigest"
    );
    assert_eq!(
        code(client.get_object().bucket("results").key("a").send().await),
        "NoSuchKey"
    );
    for algorithm in [
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Sha256,
        ChecksumAlgorithm::Crc64Nvme,
    ] {
        assert!(put().checksum_algorithm(algorithm).send().await.is_ok());
    }
}

#[tokio::test]
async fn parts_are_joined_once_and_under_the_same_conditions() {
    let fixture = serve("objects=1");
    let client = fixture.client();
    let mut outcomes = Vec::new();
    for _ in 0..2 {
        let created = client
            .create_multipart_upload()
            .bucket("results")
            .key("big.csv")
            .send()
            .await
            .unwrap();
        let id = created.upload_id().unwrap();
        let mut parts = Vec::new();
        for (number, (byte, size)) in [(b'a', 5 << 20), (b'b', 5 << 20), (b'c', 17)]
            .into_iter()
            .enumerate()
        {
            let number = i32::try_from(number).unwrap() + 1;
            let body = ByteStream::from(vec![byte; size]);
            let part = client
                .upload_part()
                .bucket("results")
                .key("big.csv")
                .upload_id(id)
                .part_number(number)
                .body(body)
                .send()
                .await
                .unwrap();
            parts.push(
                CompletedPart::builder()
                    .part_number(number)
                    .e_tag(part.e_tag().unwrap())
                    .build(),
            );
        }
        let upload = CompletedMultipartUpload::builder()
            .set_parts(Some(parts))
            .build();
        let complete = client
            .complete_multipart_upload()
            .bucket("results")
            .key("big.csv")
            .upload_id(id)
            .multipart_upload(upload);
        outcomes.push(code(complete.if_none_match("*").send().await));
        if outcomes.len() == 2 {
            client
                .abort_multipart_upload()
                .bucket("results")
                .key("big.csv")
                .upload_id(id)
                .send()
                .await
                .unwrap();
        }
    }
    assert_eq!(outcomes, ["none", "PreconditionFailed"]);
    let body = client
        .get_object()
        .bucket("results")
        .key("big.csv")
        .send()
        .await
        .unwrap()
        .body
        .collect()
        .await
        .unwrap()
        .into_bytes();
    assert_eq!(body.len(), (10 << 20) + 17);
    assert_eq!((body[0], body[5 << 20], body[10 << 20]), (b'a', b'b', b'c'));
    // Neither parts nor the refused upload stay behind.
    assert_eq!(
        std::fs::read_dir(fixture.folder.path().join("results"))
            .unwrap()
            .count(),
        1
    );
}

#[tokio::test]
async fn a_wrong_upload_is_refused() {
    let fixture = serve("objects=1");
    let client = fixture.client();
    let created = client
        .create_multipart_upload()
        .bucket("results")
        .key("a")
        .send()
        .await
        .unwrap();
    let id = created.upload_id().unwrap();
    let part = |key: &str, id: &str| {
        client
            .upload_part()
            .bucket("results")
            .key(key)
            .upload_id(id)
            .part_number(1)
            .body(ByteStream::from_static(b"x"))
    };
    assert_eq!(code(part("a", "nonsense").send().await), "NoSuchUpload");
    assert_eq!(code(part("b", id).send().await), "NoSuchUpload");
    let complete = |number: i32| {
        let parts = CompletedMultipartUpload::builder()
            .parts(CompletedPart::builder().part_number(number).build())
            .build();
        client
            .complete_multipart_upload()
            .bucket("results")
            .key("a")
            .upload_id(id)
            .multipart_upload(parts)
            .send()
    };
    assert_eq!(code(complete(1).await), "InvalidPart");
    part("a", id).send().await.unwrap();
    assert_eq!(code(complete(1).await), "none");
    assert_eq!(code(complete(1).await), "NoSuchUpload");
}
