//! Pages through the SDK: it signs, sends, goes through proxies, follows redirects and puts errors into words. What a page holds is read out of the
//! document itself: the SDK's parser takes a document that is cut off as a whole one.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{EncodingType, RequestPayer};
use aws_sdk_s3::{Client, Config};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::scan::scan;
use super::{ListPage, PageQuery};
use crate::store::call::ControlCall;
use crate::store::error::{StoreError, StoreErrorKind};

/// Whom to ask.
pub(in crate::store) struct AskedPage<'a> {
    pub(in crate::store) client: &'a Client,
    pub(in crate::store) bucket: &'a str,
    pub(in crate::store) payer: Option<RequestPayer>,
    /// The SDK's own retries, where they are not the client's.
    pub(in crate::store) retries: Option<RetryConfig>,
    /// Whether keys come percent-encoded.
    pub(in crate::store) encoded: bool,
}

/// Why there is no page.
pub(in crate::store) enum NoPage {
    /// What the SDK says, after its retries.
    Failed(StoreError),
    /// The store does not take the request as it is (400, 501): it may not know one of its parameters.
    Refused(StoreError),
    /// A whole answer that is no whole listing page. The SDK does not ask again.
    Unreadable(StoreError),
}

impl NoPage {
    pub(in crate::store) fn into_error(self) -> StoreError {
        match self {
            Self::Failed(error) | Self::Refused(error) | Self::Unreadable(error) => error,
        }
    }
}

/// Asks for one page.
pub(in crate::store) async fn ask(
    asked: AskedPage<'_>,
    query: &PageQuery,
    call: &ControlCall,
) -> Result<ListPage, NoPage> {
    let reader = PageReader::default();
    let sent = match &query.marker {
        None => newer(&asked, query, (call, &reader)).await,
        Some(marker) => older(&asked, (query, marker), (call, &reader)).await,
    };
    match (reader.take(), sent) {
        // Whatever the SDK's model of a page thinks of a date or an owner in it.
        (Some(Ok(page)), _) => Ok(page),
        (_, Err(no_page)) => Err(no_page),
        (Some(Err(why)), Ok(())) => Err(NoPage::Unreadable(unreadable(call, &why))),
        (None, Ok(())) => Err(NoPage::Unreadable(unreadable(call, "it is empty"))),
    }
}

fn unreadable(call: &ControlCall, why: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::Protocol,
        format!(
            "cannot {}: the answer is not a whole listing page ({why})",
            call.what
        ),
    )
    .hint("check that the endpoint is one of S3, and what stands between it and this machine")
}

/// `ListObjectsV2`.
async fn newer(
    asked: &AskedPage<'_>,
    query: &PageQuery,
    (call, reader): (&ControlCall, &PageReader),
) -> Result<(), NoPage> {
    let PageQuery {
        prefix,
        token,
        start_after,
        delimiter,
        marker: _,
        max_keys,
    } = query;
    let request = asked
        .client
        .list_objects_v2()
        .bucket(asked.bucket)
        .set_encoding_type(asked.encoding())
        .set_request_payer(asked.payer.clone());
    let request = request
        .set_prefix(Some(prefix.clone()).filter(|prefix| !prefix.is_empty()))
        .set_continuation_token(token.clone());
    let request = request
        .set_start_after(start_after.clone().filter(|_| token.is_none()))
        .set_delimiter(delimiter.map(str::to_owned));
    let request = request
        .set_max_keys(*max_keys)
        .customize()
        .interceptor(reader.clone())
        .config_override(asked.overrides());
    request
        .send()
        .await
        .map(drop)
        .map_err(|error| no_page(call, &error))
}

/// `ListObjects`.
async fn older(
    asked: &AskedPage<'_>,
    (query, marker): (&PageQuery, &str),
    (call, reader): (&ControlCall, &PageReader),
) -> Result<(), NoPage> {
    let PageQuery {
        prefix,
        delimiter,
        max_keys,
        ..
    } = query;
    let request = asked
        .client
        .list_objects()
        .bucket(asked.bucket)
        .set_encoding_type(asked.encoding())
        .set_request_payer(asked.payer.clone());
    let request = request
        .set_prefix(Some(prefix.clone()).filter(|prefix| !prefix.is_empty()))
        .marker(marker);
    let request = request
        .set_delimiter(delimiter.map(str::to_owned))
        .set_max_keys(*max_keys);
    let request = request
        .customize()
        .interceptor(reader.clone())
        .config_override(asked.overrides());
    request
        .send()
        .await
        .map(drop)
        .map_err(|error| no_page(call, &error))
}

fn no_page<E>(call: &ControlCall, error: &SdkError<E, HttpResponse>) -> NoPage
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let refused = error
        .raw_response()
        .is_some_and(|response| matches!(response.status().as_u16(), 400 | 501));
    let error = call.failed(error);
    // Of other kinds it is known what is wrong: credentials, the region.
    let unknown = matches!(
        error.kind,
        StoreErrorKind::Other | StoreErrorKind::NotImplemented
    );
    if refused && unknown {
        NoPage::Refused(error)
    } else {
        NoPage::Failed(error)
    }
}

impl AskedPage<'_> {
    fn encoding(&self) -> Option<EncodingType> {
        self.encoded.then_some(EncodingType::Url)
    }

    fn overrides(&self) -> aws_sdk_s3::config::Builder {
        let mut overrides = Config::builder();
        overrides.set_retry_config(self.retries.clone());
        overrides
    }
}

/// Reads the document of the last attempt.
#[derive(Clone, Debug, Default)]
struct PageReader(Arc<Mutex<Option<Result<ListPage, String>>>>);

impl PageReader {
    fn take(&self) -> Option<Result<ListPage, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[dyn_dispatch_hint]
impl Intercept for PageReader {
    fn name(&self) -> &'static str {
        "PageReader"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.take();
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        // Without its bytes the body broke, and the SDK says how.
        if let Some(document) = response
            .body()
            .bytes()
            .filter(|_| response.status().is_success())
        {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(scan(document));
        }
        Ok(())
    }
}
