//! Pictures that nobody sees: each is rendered into memory, counted, and its colour kept.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::Error;
use crate::raw::Core;
use crate::raw::render::{Renderer, Surface};

/// A colour: red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// What was rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shown {
    /// How many pictures.
    pub frames: u64,
    /// The mean colour of the first.
    pub first: Option<Colour>,
    /// The mean colour of the last.
    pub last: Option<Colour>,
}

/// A thread that renders.
#[derive(Debug)]
pub(crate) struct Offscreen {
    /// Until it has ended.
    thread: Option<JoinHandle<Shown>>,
    updates: SyncSender<()>,
    is_over: Arc<AtomicBool>,
}

impl Offscreen {
    /// Takes the pictures of a core.
    pub(crate) fn start(core: &Core) -> Result<Self, Error> {
        // One that waits stands for any number.
        let (updates, updated) = sync_channel(1);
        let renderer = Renderer::new(core, updates.clone())?;
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        let thread = thread::spawn(move || render(renderer, &updated, &ends));
        Ok(Self { thread: Some(thread), updates, is_over })
    }

    /// Ends it, and says what it rendered.
    pub(crate) fn finish(mut self) -> Shown {
        self.end()
    }

    fn end(&mut self) -> Shown {
        self.is_over.store(true, Ordering::Release);
        // Where it is full, the thread is about to look anyway.
        let _ = self.updates.try_send(());
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl Drop for Offscreen {
    /// The renderer goes before its core is told to: a core waits for whoever renders its pictures.
    fn drop(&mut self) {
        self.end();
    }
}

fn render(mut renderer: Renderer, updated: &Receiver<()>, is_over: &AtomicBool) -> Shown {
    let (mut shown, mut surface) = (Shown::default(), Surface::new());
    while updated.recv().is_ok() {
        // The last picture may have come with the end.
        let is_last = is_over.load(Ordering::Acquire);
        if renderer.render(&mut surface) {
            let colour = mean(surface.points());
            shown.frames += 1;
            shown.first.get_or_insert(colour);
            shown.last = Some(colour);
        }
        if is_last {
            break;
        }
    }
    shown
}

fn mean(points: &[[u8; 4]]) -> Colour {
    let sum = |channel: usize| points.iter().map(|point| u64::from(point[channel])).sum::<u64>();
    let count = points.len().max(1) as u64;
    Colour([0, 1, 2].map(|channel| u8::try_from(sum(channel) / count).unwrap_or(u8::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_of_each_channel_and_leaves_the_fourth_out() {
        let colour = mean(&[[255, 0, 10, 99], [0, 0, 30, 99]]);
        assert_eq!((colour, colour.to_string().as_str()), (Colour([127, 0, 20]), "#7f0014"));
    }
}
