//! The tests of the packager as one program. Those of [`interop`] need ffmpeg and Shaka Packager.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod interop;
#[cfg(test)]
mod many_boxes;
#[cfg(test)]
mod odd_files;
#[cfg(test)]
mod package;
#[cfg(test)]
mod ranges;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tracks;
