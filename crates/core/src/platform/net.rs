//! Byte counters of the network interfaces, from `/proc/net/dev` (`proc_pid_net(5)`): a cross-check of what a run says it received.
//!
//! The counters are those of the network namespace, so of every process in it, and hold headers and retransmissions too. On Linux alone.

use std::fs;
use std::ops::Sub;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Bytes that passed the interfaces: a reading of the counters, or the difference of two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InterfaceBytes {
    /// Received, all interfaces but the loopback.
    pub rx_bytes: u64,
    /// Sent, all interfaces but the loopback.
    pub tx_bytes: u64,
    /// Received on the loopback: what a server on this machine sends.
    pub loopback_rx_bytes: u64,
}

impl Sub for InterfaceBytes {
    type Output = Self;

    /// What passed since an `earlier` reading; 0 where a counter began anew.
    fn sub(self, earlier: Self) -> Self {
        Self {
            rx_bytes: self.rx_bytes.saturating_sub(earlier.rx_bytes),
            tx_bytes: self.tx_bytes.saturating_sub(earlier.tx_bytes),
            loopback_rx_bytes: self
                .loopback_rx_bytes
                .saturating_sub(earlier.loopback_rx_bytes),
        }
    }
}

/// Reads the counters; `proc` is `/proc`. `None` where there are none.
pub fn read(proc: &Path) -> Option<InterfaceBytes> {
    parse(&fs::read_to_string(proc.join("net/dev")).ok()?)
}

/// Reads the text of `/proc/net/dev`: two lines of headings, then `name: ` and 16 numbers, received bytes the first and sent bytes the ninth.
pub fn parse(text: &str) -> Option<InterfaceBytes> {
    let mut sum = InterfaceBytes::default();
    let mut any = false;
    for (name, numbers) in text
        .lines()
        .skip(2)
        .filter_map(|line| line.rsplit_once(':'))
    {
        let mut numbers = numbers.split_ascii_whitespace().map(str::parse::<u64>);
        let (Some(Ok(rx_bytes)), Some(Ok(tx_bytes))) = (numbers.next(), numbers.nth(7)) else {
            continue;
        };
        any = true;
        if name.trim() == "lo" {
            sum.loopback_rx_bytes += rx_bytes;
        } else {
            sum.rx_bytes += rx_bytes;
            sum.tx_bytes += tx_bytes;
        }
    }
    any.then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEV: &str = "Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    1000      10    0    0    0     0          0         0     1000      10    0    0    0     0       0          0
  eth0: 5000000    4000    0    0    0     0          0         0    60000     500    0    0    0     0       0          0
eth1:7 1 0 0 0 0 0 0 3 1 0 0 0 0 0 0
 eth0:1: 90 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0
";

    #[test]
    fn interfaces_are_summed_and_the_loopback_is_apart() {
        assert_eq!(
            parse(DEV).unwrap(),
            InterfaceBytes {
                rx_bytes: 5_000_097,
                tx_bytes: 60_012,
                loopback_rx_bytes: 1000
            }
        );
        assert_eq!(parse("a\nb\n"), None);
        assert_eq!(
            parse("a\nb\neth0: 1 2\n"),
            None,
            "a line cut short is not read"
        );
    }

    #[test]
    fn a_difference_never_goes_below_zero() {
        let early = InterfaceBytes {
            rx_bytes: 10,
            tx_bytes: 5,
            loopback_rx_bytes: 1,
        };
        let late = InterfaceBytes {
            rx_bytes: 25,
            tx_bytes: 4,
            loopback_rx_bytes: 1,
        };
        assert_eq!(
            late - early,
            InterfaceBytes {
                rx_bytes: 15,
                tx_bytes: 0,
                loopback_rx_bytes: 0
            }
        );
    }
}
