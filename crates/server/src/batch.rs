//! Work that many requests hand to one task, which does everything that is waiting at once: many lookups in one
//! statement, many licenses in one wait for the disk. Alone, a request waits for nobody.

use std::future::Future;
use std::time::Duration;

use prometheus_client::metrics::histogram::Histogram;
use tokio::sync::{mpsc, oneshot};

use crate::Error;

/// What the task does.
pub(crate) trait Work: Send + Sync + 'static {
    /// What one request wants done.
    type Job: Send + Sync + 'static;
    /// What it gets.
    type Answer: Send + 'static;

    /// Does all jobs or none, with an answer to each, in order.
    fn all(&self, jobs: &[Self::Job]) -> impl Future<Output = Result<Vec<Self::Answer>, Error>> + Send;
}

/// The way to the task, which ends when nobody has one any more.
#[derive(Debug)]
pub(crate) struct Batch<W: Work> {
    jobs: mpsc::Sender<Waiting<W>>,
}

impl<W: Work> Batch<W> {
    /// How many jobs wait.
    pub(crate) fn waiting(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }
}

/// A job, and who waits for its answer.
struct Waiting<W: Work> {
    job: W::Job,
    answer: oneshot::Sender<Result<W::Answer, Error>>,
}

impl<W: Work> Batch<W> {
    /// Starts the task on the current runtime. Work that takes longer than `limit` is given up, so that what hangs does
    /// not hold up all that comes later. How many jobs it did at once is measured.
    pub(crate) fn start(work: W, limit: Duration, sizes: Histogram) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        tokio::spawn(run(work, queue, limit, sizes));
        Self { jobs }
    }

    /// Has a job done. A queue that is full is refused at once: whoever waits longer gains nothing.
    pub(crate) async fn ask(&self, job: W::Job) -> Result<W::Answer, Error> {
        let (answer, answered) = oneshot::channel();
        self.jobs.try_send(Waiting { job, answer }).map_err(|_| Error::Overloaded)?;
        answered.await.unwrap_or(Err(Error::Overloaded))
    }
}

async fn run<W: Work>(work: W, mut queue: mpsc::Receiver<Waiting<W>>, limit: Duration, sizes: Histogram) {
    let mut waiting = Vec::with_capacity(LARGEST);
    while queue.recv_many(&mut waiting, LARGEST).await > 0 {
        // Requests that are ready too are let come along. Where there are none this takes no time.
        tokio::task::yield_now().await;
        while let Some(more) = (waiting.len() < LARGEST).then(|| queue.try_recv().ok()).flatten() {
            waiting.push(more);
        }
        // Whoever was told that it takes too long is not served before those who still wait.
        waiting.retain(|waiting: &Waiting<W>| !waiting.answer.is_closed());
        if waiting.is_empty() {
            continue;
        }
        sizes.observe(f64::from(u32::try_from(waiting.len()).unwrap_or(u32::MAX)));
        let (jobs, answers): (Vec<_>, Vec<_>) = waiting.drain(..).map(|waiting| (waiting.job, waiting.answer)).unzip();
        let done = tokio::time::timeout(limit, do_all(&work, &jobs)).await;
        let done = done.unwrap_or_else(|_| to_all(Error::Overloaded, jobs.len()));
        for (answer, done) in answers.into_iter().zip(done) {
            // Whoever has stopped waiting finds what was done when they ask again.
            let _ = answer.send(done);
        }
    }
}

/// One job that the database does not take must not fail the others: they are then done one by one.
async fn do_all<W: Work>(work: &W, jobs: &[W::Job]) -> Vec<Result<W::Answer, Error>> {
    let error = match work.all(jobs).await {
        Ok(answers) => return answers.into_iter().map(Ok).collect(),
        Err(error) => error,
    };
    if jobs.len() > 1 && error.may_be_of_one_row() {
        let mut done = Vec::with_capacity(jobs.len());
        for job in jobs {
            let alone = work.all(std::slice::from_ref(job)).await;
            done.push(alone.and_then(|answers| answers.into_iter().next().ok_or(Error::Overloaded)));
        }
        return done;
    }
    to_all(error, jobs.len())
}

fn to_all<T>(error: Error, count: usize) -> Vec<Result<T, Error>> {
    let shared = error.shared();
    std::iter::once(Err(error)).chain(shared.map(Err)).take(count).collect()
}

/// Jobs that wait at most; the rest is turned away.
const QUEUE: usize = 1024;
/// Jobs in one transaction at most.
const LARGEST: usize = 256;
