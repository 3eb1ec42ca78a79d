//! A policy that holds requests up where they have their place among those under way, until the test lets them go.

use std::sync::{Arc, Condvar, Mutex};

use admit_license::Terms;
use admit_server::policy::{DefaultPolicy, Policy, PolicyRefusal, PolicyRequest};
use tokio::sync::mpsc;

/// The default policy behind a gate. It blocks the thread, so that the test needs several.
#[derive(Debug)]
pub(crate) struct HeldUp {
    arrived: mpsc::UnboundedSender<()>,
    open: Arc<(Mutex<bool>, Condvar)>,
}

/// The gate, closed.
pub(crate) struct Gate {
    arrivals: mpsc::UnboundedReceiver<()>,
    open: Arc<(Mutex<bool>, Condvar)>,
}

impl HeldUp {
    pub(crate) fn new() -> (Self, Gate) {
        let (arrived, arrivals) = mpsc::unbounded_channel();
        let open = Arc::new((Mutex::new(false), Condvar::new()));
        (Self { arrived, open: Arc::clone(&open) }, Gate { arrivals, open })
    }
}

impl Policy for HeldUp {
    fn terms(&self, request: &PolicyRequest<'_>, draft: Terms) -> Result<Vec<Terms>, PolicyRefusal> {
        let _ = self.arrived.send(());
        tokio::task::block_in_place(|| {
            let (open, opened) = &*self.open;
            drop(opened.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
        });
        DefaultPolicy.terms(request, draft)
    }
}

impl Gate {
    /// Waits until one more request stands at the gate.
    pub(crate) async fn arrival(&mut self) {
        self.arrivals.recv().await.unwrap();
    }

    /// Lets all go.
    pub(crate) fn open(&self) {
        *self.open.0.lock().unwrap() = true;
        self.open.1.notify_all();
    }
}

/// A test that ends early must not leave threads behind that wait.
impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}
