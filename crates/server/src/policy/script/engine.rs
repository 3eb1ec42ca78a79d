//! The sandbox that scripts run in: which functions there are, and what everything is limited to.

use std::time::Duration;

use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicIteratorPackage, BasicMapPackage, BasicMathPackage, BasicStringPackage,
    LogicPackage, MoreStringPackage, Package,
};
use rhai::{Dynamic, Engine, OptimizationLevel};

use super::{license, lists, run};

/// What a script may use up before it is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Steps: statements, expressions, calls.
    pub operations: u64,
    /// Time on the clock. A script of a few dozen lines takes a thousandth of it.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { operations: 50_000, time: Duration::from_millis(50) }
    }
}

/// An engine that can compute and nothing else. The packages of functions are named one by one, because others hold
/// `sleep` and `exit`.
pub(super) fn engine(limits: Limits) -> Engine {
    let mut engine = Engine::new_raw();
    engine
        .register_global_module(ArithmeticPackage::new().as_shared_module())
        .register_global_module(LogicPackage::new().as_shared_module())
        .register_global_module(BasicMathPackage::new().as_shared_module())
        .register_global_module(BasicStringPackage::new().as_shared_module())
        .register_global_module(MoreStringPackage::new().as_shared_module())
        .register_global_module(BasicIteratorPackage::new().as_shared_module())
        .register_global_module(BasicArrayPackage::new().as_shared_module())
        .register_global_module(BasicMapPackage::new().as_shared_module());
    // What is compiled is what was written: constants of the scope differ from run to run.
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_strict_variables(true).set_fail_on_invalid_map_property(true);
    engine.disable_symbol("eval").disable_symbol("sleep");
    engine
        .set_max_operations(limits.operations)
        .set_max_call_levels(MAX_CALLS)
        .set_max_expr_depths(MAX_DEPTH, MAX_DEPTH_IN_FUNCTIONS)
        .set_max_variables(MAX_VARIABLES)
        .set_max_functions(MAX_FUNCTIONS)
        .set_max_string_size(MAX_STRING)
        .set_max_array_size(MAX_ITEMS)
        .set_max_map_size(MAX_ITEMS);
    engine.on_progress(|operations| run::stop_reason(operations).map(Dynamic::from));
    engine.on_print(run::print);
    engine.on_debug(|text, _, _| run::print(text));
    license::register(&mut engine);
    lists::register(&mut engine);
    engine
}

const MAX_CALLS: usize = 16;
const MAX_DEPTH: usize = 32;
const MAX_DEPTH_IN_FUNCTIONS: usize = 16;
const MAX_VARIABLES: usize = 100;
const MAX_FUNCTIONS: usize = 100;
/// Bytes.
const MAX_STRING: usize = 16 * 1024;
pub(super) const MAX_ITEMS: usize = 500;
