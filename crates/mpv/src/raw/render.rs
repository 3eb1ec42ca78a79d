//! Pictures in memory (`render.h`, its software renderer).

use std::ffi::{CStr, c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use super::functions::{FrameInfo, Param};
use super::lent::Lent;
use super::{Core, Inner};
use crate::Error;

/// A renderer of one core's pictures. It is used by one thread at a time, for which `&mut` stands.
#[derive(Debug)]
pub(crate) struct Renderer {
    context: NonNull<c_void>,
    updates: Lent<SyncSender<()>>,
    core: Arc<Inner>,
}

// SAFETY: its functions may be called from any thread, one at a time (render.h, "Threading").
unsafe impl Send for Renderer {}

impl Drop for Renderer {
    fn drop(&mut self) {
        // SAFETY: the context is valid, and its core is still there (3). No update is called after this.
        unsafe { (self.core.library.0.mpv_render_context_free)(self.context.as_ptr()) }
    }
}

impl Renderer {
    /// Takes a core's pictures. `updates` is told when there may be one.
    pub(crate) fn new(core: &Core, updates: SyncSender<()>) -> Result<Self, Error> {
        let (core, updates) = (Arc::clone(&core.inner), Lent::new(updates));
        let mut params = [param(API_TYPE, SOFTWARE.as_ptr()), END];
        let mut context = ptr::null_mut();
        let create = core.library.0.mpv_render_context_create;
        // SAFETY: the handle is valid, the parameters end with the one that ends them, and the string is there for the call.
        let error = unsafe { create(&raw mut context, core.handle.as_ptr(), params.as_mut_ptr()) };
        core.library.check("to render into memory", error)?;
        let context = NonNull::new(context).expect("it was made without an error");
        let renderer = Self { context, updates, core };
        let set_callback = renderer.core.library.0.mpv_render_context_set_update_callback;
        // SAFETY: the context is valid, and the sender stays where it is until the context is freed (4).
        unsafe { set_callback(context.as_ptr(), Some(updated), renderer.updates.pointer()) };
        Ok(renderer)
    }

    /// Renders the next picture into `surface`, if there is one; says whether it is a new one, and not the last once more.
    pub(crate) fn render(&mut self, surface: &mut Surface) -> bool {
        // SAFETY: the context is valid.
        let flags = unsafe { (self.core.library.0.mpv_render_context_update)(self.context.as_ptr()) };
        if flags & UPDATE_FRAME == 0 {
            return false;
        }
        let mut info = FrameInfo::default();
        let asked = Param { kind: NEXT_FRAME_INFO, data: (&raw mut info).cast() };
        // SAFETY: the context is valid, and this is what that parameter is filled into.
        let error = unsafe { (self.core.library.0.mpv_render_context_get_info)(self.context.as_ptr(), asked) };
        let is_new = error >= 0 && info.flags & (PRESENT | REDRAW | REPEAT) == PRESENT;
        self.draw(surface) && is_new
    }

    fn draw(&mut self, surface: &mut Surface) -> bool {
        let (size, stride, wait) = (Surface::SIZE, Surface::STRIDE, 0 as c_int);
        let mut params = [
            param(SW_SIZE, size.as_ptr()),
            param(SW_FORMAT, RGB0.as_ptr()),
            param(SW_STRIDE, &raw const stride),
            Param { kind: SW_POINTER, data: surface.0.as_mut_ptr().cast() },
            param(BLOCK_FOR_TARGET_TIME, &raw const wait),
            END,
        ];
        // SAFETY: the context is valid, every parameter has the type that its kind asks for, and the surface has `stride`
        // bytes for each of its lines.
        unsafe { (self.core.library.0.mpv_render_context_render)(self.context.as_ptr(), params.as_mut_ptr()) >= 0 }
    }
}

/// A picture in memory, four bytes a point: red, green, blue and one that says nothing.
pub(crate) struct Surface(Box<[[u8; 4]]>);

impl Surface {
    /// Width and height. A stride of whole 64 bytes is what the renderer is fastest with.
    const SIZE: [c_int; 2] = [320, 180];
    const STRIDE: usize = 320 * 4;

    pub(crate) fn new() -> Self {
        Self(vec![[0; 4]; 320 * 180].into())
    }

    /// All points.
    pub(crate) fn points(&self) -> &[[u8; 4]] {
        &self.0
    }
}

/// # Safety
///
/// Called by libmpv with the sender that [`Renderer::new`] gave.
unsafe extern "C" fn updated(data: *mut c_void) {
    // SAFETY: the renderer whose core calls this owns it (4).
    let updates = unsafe { &*data.cast::<SyncSender<()>>() };
    // Where one waits already, another says nothing more; where nobody listens, the renderer is about to be freed.
    let _ = updates.try_send(());
}

/// A parameter that is only read.
fn param<T>(kind: c_int, data: *const T) -> Param {
    Param { kind, data: data.cast_mut().cast() }
}

/// `MPV_RENDER_PARAM_INVALID` ends a list.
const END: Param = Param { kind: 0, data: ptr::null_mut() };
const API_TYPE: c_int = 1;
const NEXT_FRAME_INFO: c_int = 11;
const BLOCK_FOR_TARGET_TIME: c_int = 12;
const SW_SIZE: c_int = 17;
const SW_FORMAT: c_int = 18;
const SW_STRIDE: c_int = 19;
const SW_POINTER: c_int = 20;
const UPDATE_FRAME: u64 = 1;
const PRESENT: u64 = 1;
const REDRAW: u64 = 2;
const REPEAT: u64 = 4;
/// `MPV_RENDER_API_TYPE_SW`.
const SOFTWARE: &CStr = c"sw";
const RGB0: &CStr = c"rgb0";
