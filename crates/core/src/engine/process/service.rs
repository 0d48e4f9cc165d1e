//! One child at work: it gets ranges, and its rows and readings are taken in, until it says good-bye or dies.

use std::io;
use std::sync::atomic::Ordering;

use super::launch::{BrokenChild, Child};
use super::outstanding::{ImpossibleFrame, Outstanding, all_archived};
use super::slots::Slots;
use super::wire::{ChildReport, FromChild, RowBatch, ToChild, Traffic, signing_news};
use crate::engine::board::EndPhase;
use crate::fetch::{Clock, RunClock};
use crate::sample::Outcome;

/// How one child's service ended.
pub(super) enum ServiceEnd {
    Bye(Box<ChildReport>),
    /// How many keys it had not acknowledged, whether it had sent any row, and how it broke off.
    Died {
        keys: u64,
        worked: bool,
        broken: BrokenChild,
    },
}

/// One child's service: what it has in work, and how far it has been told that the run ends.
struct Service<'a> {
    outstanding: Outstanding<'a>,
    clock: RunClock,
    stopping: Stopping,
    worked: bool,
}

impl Slots {
    /// Passes ranges out and takes rows in, until the child says good-bye or dies. Keys of one that dies have gone back when this returns.
    pub(super) async fn serve(&self, child: &mut Child, clock: RunClock) -> ServiceEnd {
        let outstanding = Outstanding::new(&self.job.queue, &self.busy);
        let mut service = Service {
            outstanding,
            clock,
            stopping: Stopping::No,
            worked: false,
        };
        let mut feed = self.job.feed.clone();
        let (mut news, mut phase, mut watchdog) =
            (self.busy.subscribe(), self.board.phase(), child.watchdog());
        // A child that has said all it had to closes its end: what it said is still to be read.
        let mut listens = child.say(&ToChild::Go(clock.epoch_ns)).await.is_ok();
        let broken = loop {
            if listens {
                listens = self.hand_out(child, &mut service).await.is_ok();
            }
            service.outstanding.settle();
            let frame = tokio::select! {
                frame = child.frames.next() => frame,
                _ = news.changed(), if listens => continue,
                _ = phase.changed() => {
                    if *phase.borrow() == EndPhase::Killing {
                        child.kill();
                    }
                    continue;
                }
                frame = signing_news(&mut feed), if listens => {
                    listens = child.say(&frame).await.is_ok();
                    continue;
                }
                broken = watchdog.lost() => break broken,
            };
            watchdog.heard();
            match frame {
                Ok(Some(FromChild::Bye(bye)))
                    if bye.failure.is_some() || service.stopping != Stopping::No =>
                {
                    return ServiceEnd::Bye(Box::new(bye));
                }
                Ok(Some(frame)) => {
                    if let Err(error) = self.hear(child.number, frame, &mut service) {
                        break BrokenChild::Killed(error.to_string());
                    }
                }
                Ok(None) => break BrokenChild::Gone("it closed its pipe".to_owned()),
                Err(error) => break BrokenChild::Killed(error.to_string()),
            }
        };
        if matches!(broken, BrokenChild::Killed(_)) {
            // Before others begin with its keys.
            child.kill();
        }
        let Service {
            mut outstanding,
            worked,
            ..
        } = service;
        let keys = outstanding.fetches();
        self.suspect(&mut outstanding, (child, clock));
        outstanding.died();
        ServiceEnd::Died {
            keys,
            worked,
            broken,
        }
    }

    /// Tops up the child's ranges, and tells it when there is nothing left for anybody.
    async fn hand_out(&self, child: &mut Child, service: &mut Service<'_>) -> io::Result<()> {
        if matches!(
            *self.board.phase().borrow(),
            EndPhase::Aborting | EndPhase::Killing
        ) && service.stopping != Stopping::Aborted
        {
            service.stopping = Stopping::Aborted;
            return child.say(&ToChild::Abort).await;
        }
        if self.job.queue.is_over(service.clock.now_ns()) {
            if service.stopping == Stopping::No {
                service.stopping = Stopping::Told;
                child.say(&ToChild::Stop).await?;
                child.say(&ToChild::Finish).await?;
            }
            return Ok(());
        }
        while let Some(range) = service.outstanding.take(service.clock.now_ns()) {
            child.say(&ToChild::Range(range.start, range.end)).await?;
        }
        // A child that dies elsewhere gives its keys back: while any is busy, this one waits.
        service.outstanding.settle();
        if !self.busy.any() && service.stopping == Stopping::No {
            service.stopping = Stopping::Told;
            child.say(&ToChild::Finish).await?;
        }
        Ok(())
    }

    /// Takes what a child that works says. What does not add up is not counted at all.
    fn hear(
        &self,
        number: u32,
        frame: FromChild,
        service: &mut Service<'_>,
    ) -> Result<(), ImpossibleFrame> {
        match frame {
            FromChild::Rows(batch) => self.take_rows(number, &batch, service),
            FromChild::Pulse(traffic) => self.take_traffic(number, &traffic, service),
            FromChild::Expired(version) => {
                self.job
                    .feed
                    .iter()
                    .for_each(|feed| feed.ask_newer_than(version));
                Ok(())
            }
            FromChild::ClockOffset(seconds) => {
                self.job
                    .feed
                    .iter()
                    .for_each(|feed| feed.clock.set(seconds));
                Ok(())
            }
            FromChild::Ready => Err(ImpossibleFrame("`ready` twice")),
            FromChild::Bye(_) => Err(ImpossibleFrame("a good-bye before it was done")),
        }
    }

    /// Acknowledges what a batch covers and passes its rows on.
    fn take_rows(
        &self,
        number: u32,
        batch: &RowBatch,
        service: &mut Service<'_>,
    ) -> Result<(), ImpossibleFrame> {
        self.take_traffic(number, &batch.traffic, service)?;
        let rows = service.outstanding.accept((batch, number), |range| {
            all_archived(&self.job.items, range).unwrap_or(false)
        })?;
        service.worked = true;
        let counters = &self.board.counters[usize::try_from(number).expect("a u32 fits")];
        counters
            .ended
            .fetch_add(rows.len() as u64, Ordering::Relaxed);
        counters.failed.fetch_add(
            rows.iter()
                .filter(|row| row.outcome == Outcome::Failed)
                .count() as u64,
            Ordering::Relaxed,
        );
        self.job.rows.send(rows);
        Ok(())
    }

    /// Counts bytes that a child read.
    fn take_traffic(
        &self,
        number: u32,
        traffic: &Traffic,
        service: &mut Service<'_>,
    ) -> Result<(), ImpossibleFrame> {
        let bytes = service.outstanding.read(traffic, service.clock.now_ns())?;
        self.board.counters[usize::try_from(number).expect("a u32 fits")]
            .bytes
            .fetch_add(bytes, Ordering::Relaxed);
        for (second, bytes) in &traffic.series {
            self.board.series.add(*second, *bytes);
        }
        Ok(())
    }
}

/// How far a child has been told that the run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopping {
    No,
    Told,
    Aborted,
}
