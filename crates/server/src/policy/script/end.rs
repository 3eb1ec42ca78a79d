//! Where a script ended: the line and column of what it gave. Values do not say where they come from, so a script that
//! ended with the wrong one is run once more, step by step, within what is left of its time.

use std::sync::{Arc, Mutex, PoisonError};

use rhai::debugger::{DebuggerCommand, DebuggerEvent};
use rhai::{AST, Dynamic, Engine, Position, Scope};

use super::engine::{self, Limits};

/// The line and column of the last thing that was evaluated.
pub(super) fn place(ast: &AST, scope: &mut Scope<'_>, limits: Limits) -> Option<(usize, usize)> {
    let last = Arc::new(Mutex::new(Position::NONE));
    let mut engine = engine::engine(limits);
    follow(&mut engine, Arc::clone(&last));
    // It ends as it did before; where it is stopped this time, that is the place.
    let _ = engine.eval_ast_with_scope::<Dynamic>(scope, ast);
    let last = *last.lock().unwrap_or_else(PoisonError::into_inner);
    last.line().zip(last.position())
}

#[expect(deprecated, reason = "the interface may change with a release of the library, and is tested here")]
fn follow(engine: &mut Engine, last: Arc<Mutex<Position>>) {
    // What it prints it has printed already.
    engine.on_print(|_| {}).on_debug(|_, _, _| {});
    engine.register_debugger(
        |_, debugger| debugger,
        move |_, event, _, _, at| {
            // Where a function returns says less than what it returned.
            if matches!(event, DebuggerEvent::Start | DebuggerEvent::Step) {
                *last.lock().unwrap_or_else(PoisonError::into_inner) = at;
            }
            Ok(DebuggerCommand::StepInto)
        },
    );
}
