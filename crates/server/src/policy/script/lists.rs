//! Functions of lists in place of Rhai's own, by which a script could end the process.

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, INT, Position};

use super::engine::MAX_ITEMS;
use super::license::{Outcome, fault};

/// Adds the functions. They go before those of the packages.
pub(super) fn register(engine: &mut Engine) {
    // Rhai's own panics inside where the function contradicts itself, and takes no notice of a refusal or a mistake.
    for name in ["sort", "sort_by"] {
        engine.register_fn(name, |_: &mut Array, _: FnPtr| -> Outcome<()> { no_order() });
    }
    for name in ["order", "order_by"] {
        engine.register_fn(name, |_: &mut Array, _: FnPtr| -> Outcome<Array> { no_order() });
    }
    engine.register_fn("pad", pad);
}

fn no_order<T>() -> Outcome<T> {
    fault("a list is sorted without a function of one's own: sort() or sort_desc()".to_owned())
}

/// Rhai's own multiplies the length with the size of the item, and what comes of it may be zero: it then asks for more
/// memory than there is, which no process survives.
fn pad(list: &mut Array, length: INT, item: Dynamic) -> Outcome<()> {
    if item.is_array() || item.is_map() {
        return fault("pad: a list is not padded with lists or maps".to_owned());
    }
    // Of less than nothing there is nothing to add.
    let length = usize::try_from(length).unwrap_or(0);
    if length > MAX_ITEMS {
        return Err(Box::new(EvalAltResult::ErrorDataTooLarge("Size of array".to_owned(), Position::NONE)));
    }
    list.resize(length.max(list.len()), item);
    Ok(())
}
