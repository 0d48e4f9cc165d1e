//! Waits for what comes once, a signal above all.

use tokio::sync::watch::Receiver;

/// The value, once it has come. When nobody is left who could send it, this never ends: use it beside work that does.
pub async fn comes<T: Clone>(of: &mut Receiver<Option<T>>) -> T {
    match of
        .wait_for(Option::is_some)
        .await
        .map(|value| value.clone())
    {
        Ok(Some(value)) => value,
        _ => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::comes;

    #[tokio::test]
    async fn it_comes_once_it_is_sent_and_never_when_nobody_can_send_it() {
        let (send, mut receive) = tokio::sync::watch::channel(None);
        assert!(comes(&mut receive).now_or_never().is_none());
        send.send(Some(5)).unwrap();
        assert_eq!(comes(&mut receive).await, 5);
        let (_, mut lost) = tokio::sync::watch::channel(None::<u8>);
        assert!(comes(&mut lost).now_or_never().is_none());
    }
}
