//! How connections are opened: addresses, whose turn it is, time limits, TLS.
//!
//! An address that is slow to answer has another one tried beside it (RFC 8305, «happy eyeballs»). Own code, because whose turn it is, and which addresses
//! are known to be silent, is what the few libraries for it leave out.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout, timeout_at};

use super::connection::LeanConnection;
use super::tls;
use super::wire::Wire;
use crate::store::endpoint::Endpoint;
use crate::store::error::StoreError;

/// Addresses are asked for again after this: S3's DNS answers change every few seconds.
const ADDRESSES_LIVE: Duration = Duration::from_secs(30);
/// Addresses that all failed are asked for again, but not when they have just been: where nobody answers, every worker comes this way.
const ADDRESSES_FRESH: Duration = Duration::from_secs(1);
/// When an address has not answered for so long, the next one is tried beside it. RFC 8305 recommends 250 ms, and at least 100 ms.
const NEXT_AFTER: Duration = Duration::from_millis(300);
/// An address that did not answer is tried last for so long; then one connection, whose turn it is, tries it again.
const SILENT_FOR: Duration = Duration::from_secs(30);

/// Opens connections; shared by the workers of a process.
#[derive(Debug)]
pub struct Dialer {
    host: String,
    port: u16,
    /// Of a connection; `None` = as long as the system tries.
    timeout: Option<Duration>,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    addresses: Mutex<Option<(Arc<[SocketAddr]>, Instant)>>,
    /// Servers that take turns, each by its addresses, which were looked up once; empty = what the name leads to, asked for again and again.
    servers: Vec<Arc<[SocketAddr]>>,
    /// Addresses that did not answer when they were last tried, and until when they are tried last.
    silent: Lock<HashMap<SocketAddr, Instant>>,
}

/// An address that is being tried.
#[derive(Clone, Copy, Debug)]
struct Trial {
    address: SocketAddr,
    since: Instant,
}

impl Dialer {
    /// Loads the certificate authorities when the endpoint speaks TLS. Opens nothing.
    pub fn new(
        endpoint: &Endpoint,
        timeout: Option<Duration>,
        ca_bundle: Option<&Path>,
    ) -> Result<Self, StoreError> {
        let tls = if endpoint.https {
            Some((
                Arc::new(tls::config(ca_bundle)?),
                tls::server_name(&endpoint.host)?,
            ))
        } else {
            None
        };
        Ok(Self {
            host: endpoint.host.clone(),
            port: endpoint.port,
            timeout,
            tls,
            addresses: Mutex::new(None),
            servers: Vec::new(),
            silent: Lock::default(),
        })
    }

    /// With connections to these servers in turn, each known by its addresses; a connection lasts as long as it is needed.
    pub(in crate::store) fn with_servers(self, servers: &[Vec<SocketAddr>]) -> Self {
        let servers = servers.iter().map(|server| server.as_slice().into());
        Self {
            servers: servers.collect(),
            ..self
        }
    }

    /// A new connection: to the address whose turn it is, so that workers spread over all of them, and past those that do not answer. Each has the
    /// time limit to itself.
    pub(super) async fn connect(&self, turn: u64) -> io::Result<LeanConnection> {
        let (addresses, turn) = match self.servers.len() as u64 {
            0 => (self.within(None, self.resolve()).await?, turn),
            count => {
                let place = usize::try_from(turn % count).unwrap_or_default();
                (Arc::clone(&self.servers[place]), turn / count)
            }
        };
        let mut waiting = self.in_order(&addresses, turn).into_iter();
        let (mut trying, mut tried) = (FuturesUnordered::new(), Vec::new());
        let mut last = io::Error::new(
            io::ErrorKind::NotFound,
            "the endpoint's name has no address",
        );
        loop {
            if let Some(address) = waiting.next() {
                let trial = Trial {
                    address,
                    since: Instant::now(),
                };
                tried.push(trial);
                trying.push(self.reach(trial));
            }
            let wait = if waiting.len() > 0 {
                NEXT_AFTER
            } else {
                Duration::MAX
            };
            // Nobody has answered yet: the next one beside them.
            let Ok(ended) = timeout(wait, trying.next()).await else {
                continue;
            };
            let Some((trial, reached)) = ended else { break };
            let opened = match reached {
                Ok(tcp) => self.open(trial, tcp).await,
                Err(error) => Err(error),
            };
            match opened {
                Ok(connection) => {
                    self.answered(trial, &tried);
                    return Ok(connection);
                }
                Err(error) => {
                    self.did_not_answer(trial.address);
                    last = error;
                }
            }
        }
        // All of them failed: ask for addresses anew next time.
        let mut known = self.addresses.lock().await;
        if known
            .as_ref()
            .is_some_and(|(_, since)| since.elapsed() > ADDRESSES_FRESH)
        {
            *known = None;
        }
        Err(last)
    }

    /// Every address: first the one whose turn it is, last those that do not answer.
    fn in_order(&self, addresses: &[SocketAddr], turn: u64) -> Vec<SocketAddr> {
        let at = |count: usize| usize::try_from(turn % count.max(1) as u64).unwrap_or_default();
        let own = addresses.get(at(addresses.len()));
        let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        silent.retain(|address, _| addresses.contains(address));
        if silent.len() == addresses.len() {
            // That none answered says nothing about which to prefer.
            silent.clear();
        }
        let now = Instant::now();
        let (mut good, mut bad): (Vec<_>, Vec<_>) =
            addresses
                .iter()
                .copied()
                .partition(|address| match silent.get_mut(address) {
                    Some(until) if own == Some(address) && *until <= now => {
                        // This one connection tries it. The others wait for how that ends.
                        *until = now + SILENT_FOR;
                        true
                    }
                    Some(_) => false,
                    None => true,
                });
        drop(silent);
        let first = good
            .iter()
            .position(|address| own == Some(address))
            .unwrap_or_else(|| at(good.len()));
        good.rotate_left(first);
        let first = at(bad.len());
        bad.rotate_left(first);
        good.append(&mut bad);
        good
    }

    /// One answered. Those that were asked before it and had their time to answer did not.
    fn answered(&self, winner: Trial, tried: &[Trial]) {
        let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + SILENT_FOR;
        for trial in tried
            .iter()
            .take_while(|trial| trial.address != winner.address)
            .filter(|trial| trial.since.elapsed() >= NEXT_AFTER)
        {
            silent.insert(trial.address, until);
        }
        silent.remove(&winner.address);
    }

    fn did_not_answer(&self, address: SocketAddr) {
        self.silent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(address, Instant::now() + SILENT_FOR);
    }

    /// One lookup serves all who wait for it: at the epoch every worker does, and resolvers drop what is too much for them.
    async fn resolve(&self) -> io::Result<Arc<[SocketAddr]>> {
        let mut known = self.addresses.lock().await;
        if let Some((addresses, since)) = &*known
            && since.elapsed() < ADDRESSES_LIVE
        {
            return Ok(Arc::clone(addresses));
        }
        let addresses: Arc<[SocketAddr]> = tokio::net::lookup_host((self.host.as_str(), self.port))
            .await?
            .collect();
        *known = Some((Arc::clone(&addresses), Instant::now()));
        Ok(addresses)
    }

    async fn reach(&self, trial: Trial) -> (Trial, io::Result<TcpStream>) {
        let connecting = TcpStream::connect(trial.address);
        (trial, self.within(Some(trial), connecting).await)
    }

    /// Waits no longer than what is left of the trial's time.
    async fn within<T>(
        &self,
        trial: Option<Trial>,
        work: impl Future<Output = io::Result<T>>,
    ) -> io::Result<T> {
        let Some(limit) = self.timeout else {
            return work.await;
        };
        let since = trial.map_or_else(Instant::now, |trial| trial.since);
        timeout_at(since + limit, work)
            .await
            .unwrap_or_else(|_late| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Readies TLS, within what is left of the address's time.
    async fn open(&self, trial: Trial, tcp: TcpStream) -> io::Result<LeanConnection> {
        tcp.set_nodelay(true)?;
        if !self.servers.is_empty() {
            // An answer may take many minutes, and no other limit notices a server that is gone.
            keep_alive(&tcp);
        }
        let mut wire = Wire::new(
            tcp,
            self.tls
                .as_ref()
                .map(|(config, name)| (config, name.clone())),
        )?;
        let ready = poll_fn(|context| wire.poll_ready(context));
        self.within(Some(trial), ready).await?;
        Ok(LeanConnection::new(wire))
    }
}

/// Lets the system ask a silent server whether it is still there. Where that cannot be set, nothing is lost but that.
fn keep_alive(tcp: &TcpStream) {
    let _refused = nix::sys::socket::setsockopt(tcp, nix::sys::socket::sockopt::KeepAlive, &true);
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;
    use crate::store::transport::{AttemptPhase, transport};

    /// A hang that a test guards against, far above anything a loaded machine needs.
    const DEADLINE: Duration = Duration::from_mins(1);

    fn addresses(count: u8) -> Vec<SocketAddr> {
        (1..=count)
            .map(|last| (Ipv4Addr::new(127, 0, 0, last), 1).into())
            .collect()
    }

    fn dialer(addresses: &[SocketAddr], timeout: Duration) -> Dialer {
        let known = Mutex::new(Some((addresses.into(), Instant::now())));
        Dialer {
            host: "h.invalid".to_owned(),
            port: 1,
            timeout: Some(timeout),
            tls: None,
            addresses: known,
            servers: Vec::new(),
            silent: Lock::default(),
        }
    }

    /// The last numbers of the addresses in the order of this turn.
    fn order(dialer: &Dialer, all: &[SocketAddr], turn: u64) -> Vec<u8> {
        dialer
            .in_order(all, turn)
            .iter()
            .map(|address| {
                if let SocketAddr::V4(v4) = address {
                    v4.ip().octets()[3]
                } else {
                    0
                }
            })
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn turns_go_round_and_those_that_do_not_answer_come_last() {
        let all = addresses(4);
        let dialer = dialer(&all, DEADLINE);
        assert_eq!(
            [0, 1, 6].map(|turn| order(&dialer, &all, turn)),
            [[1, 2, 3, 4], [2, 3, 4, 1], [3, 4, 1, 2]]
        );
        dialer.did_not_answer(all[1]);
        assert_eq!(
            [0, 1, 2, 3].map(|turn| order(&dialer, &all, turn)),
            [[1, 3, 4, 2], [3, 4, 1, 2], [3, 4, 1, 2], [4, 1, 3, 2]]
        );
        tokio::time::advance(SILENT_FOR).await;
        assert_eq!(order(&dialer, &all, 0), [1, 3, 4, 2], "not its turn");
        assert_eq!(order(&dialer, &all, 5), [2, 3, 4, 1], "one tries it");
        assert_eq!(
            order(&dialer, &all, 9),
            [1, 3, 4, 2],
            "and no other meanwhile"
        );
        assert_eq!(
            order(&dialer, &all[..1], 3),
            [1],
            "the name leads elsewhere now"
        );
        assert_eq!(
            order(&dialer, &all, 1),
            [2, 3, 4, 1],
            "and what is not there is forgotten"
        );
        for address in &all {
            dialer.did_not_answer(*address);
        }
        assert_eq!(
            order(&dialer, &all, 1),
            [2, 3, 4, 1],
            "none is better than the others"
        );
        assert!(dialer.in_order(&[], 7).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn only_those_that_had_their_time_count_as_silent() {
        let all = addresses(4);
        let dialer = dialer(&all, DEADLINE);
        let first = Trial {
            address: all[0],
            since: Instant::now(),
        };
        tokio::time::advance(NEXT_AFTER).await;
        let rest = [1, 2, 3].map(|index| Trial {
            address: all[index],
            since: Instant::now(),
        });
        let tried = [first, rest[0], rest[1], rest[2]];
        dialer.answered(rest[1], &tried);
        assert_eq!(
            order(&dialer, &all, 0),
            [2, 3, 4, 1],
            "the second was asked just before"
        );
        dialer.answered(first, &tried);
        assert_eq!(order(&dialer, &all, 0), [1, 2, 3, 4]);
    }

    /// A port at which `127.0.0.1` answers, `127.0.0.2` refuses, and `127.0.0.3` says nothing: nobody takes its connections, and no more fit into its queue.
    /// What is returned keeps it so.
    #[cfg(target_os = "linux")]
    fn three() -> ([SocketAddr; 3], impl Sized) {
        use socket2::{Domain, Socket, Type};
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let all = [1, 2, 3].map(|last| SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), port)));
        let socket = || Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let full = socket();
        full.bind(&all[2].into()).unwrap();
        full.listen(0).unwrap();
        let fillers = [(); 4].map(|()| {
            let filler = socket();
            filler.set_nonblocking(true).unwrap();
            let _in_progress = filler.connect(&all[2].into());
            filler
        });
        (all, (listener, full, fillers))
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_first_that_answers_is_taken_and_the_others_are_remembered() {
        let (all, _kept) = three();
        let [good, refused, silent] = all;
        // With a minute for each address, only trying the next one beside it comes to an end here.
        for others in [
            vec![refused],
            vec![silent],
            vec![silent, refused],
            vec![refused, silent],
        ] {
            let tried = [&others[..], &[good]].concat();
            let dialer = dialer(&tried, DEADLINE * 10);
            let connected = tokio::time::timeout(DEADLINE, dialer.connect(0))
                .await
                .expect("no address is waited for");
            assert!(connected.is_ok());
            assert_eq!(dialer.in_order(&tried, 0)[0], good, "{others:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_time_of_an_address_is_not_used_up_by_those_before_it() {
        let (all, _kept) = three();
        // It is over before the next one would be tried beside it.
        let time = NEXT_AFTER / 2;
        assert!(dialer(&[all[2], all[0]], time).connect(0).await.is_ok());
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_address_has_its_own_time_and_its_own_word() {
        let (all, _kept) = three();
        let word = async |addresses: &[SocketAddr]| {
            let dialer = dialer(addresses, Duration::from_millis(50));
            let error = dialer.connect(0).await.err().unwrap();
            transport(&error, AttemptPhase::Connecting).code.to_string()
        };
        assert_eq!(word(&all[2..]).await, "connect-timeout");
        assert_eq!(word(&all[1..2]).await, "connect-refused");
    }
}
