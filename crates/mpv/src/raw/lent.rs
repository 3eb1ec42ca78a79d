//! What C is given a pointer to.

use std::ffi::c_void;
use std::ptr::NonNull;

/// A value that does not move, whoever owns it. The pointer is made once, when the value is put where it stays, and every way
/// to the value goes through it: a `Box` that moves would say that nobody else has one.
#[derive(Debug)]
pub(super) struct Lent<T>(NonNull<T>);

// SAFETY: it owns its value, as a `Box` does.
unsafe impl<T: Send> Send for Lent<T> {}
// SAFETY: it gives nothing but shared references to its value, as a `Box` does to who shares it.
unsafe impl<T: Sync> Sync for Lent<T> {}

impl<T> Lent<T> {
    pub(super) fn new(value: T) -> Self {
        Self(NonNull::from(Box::leak(Box::new(value))))
    }

    /// What C is given. It points to the value until this is dropped, and nothing is written through it.
    pub(super) const fn pointer(&self) -> *mut c_void {
        self.0.as_ptr().cast()
    }

    pub(super) const fn get(&self) -> &T {
        // SAFETY: it points to a value that is there until `self` is dropped, and which is only shared.
        unsafe { self.0.as_ref() }
    }
}

impl<T> Drop for Lent<T> {
    fn drop(&mut self) {
        // SAFETY: it came from a box, and this is its owner.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn what_is_lent_stays_where_it_is_and_is_dropped_once() {
        let value = Arc::new(7);
        let lent = Lent::new(Arc::clone(&value));
        let pointer = lent.pointer().cast::<Arc<i32>>();
        let moved = Arc::new(lent);
        // SAFETY: it points to the value for as long as `moved` is there.
        assert_eq!((unsafe { &**pointer }, **moved.get()), (&7, 7));
        drop(moved);
        assert_eq!(Arc::strong_count(&value), 1);
    }
}
