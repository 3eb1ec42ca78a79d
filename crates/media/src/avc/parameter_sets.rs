//! The fields of sequence and picture parameter sets (ITU-T H.264 sections 7.3.2.1 and 7.3.2.2) that slice headers
//! depend on.

use super::BadNal;
use super::bits::Bits;

/// A sequence parameter set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sps {
    pub(super) id: u32,
    pub(super) separate_colour_planes: bool,
    /// 0 for monochrome and separate planes.
    pub(super) chroma_array_type: u32,
    pub(super) frame_num_bits: u32,
    pub(super) picture_order: PictureOrder,
    pub(super) frame_mbs_only: bool,
    /// Map units of the picture, which give the length of a slice group's change cycle.
    pub(super) map_units: u64,
}

/// How slice headers tell picture order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PictureOrder {
    /// Type 0: low bits of the count.
    Lsb { bits: u32 },
    /// Type 1, with differences in the slice headers.
    Deltas,
    /// Types 1 and 2, without.
    Implied,
}

impl Sps {
    /// Reads a set from a NAL unit after its header byte.
    pub(super) fn parse(payload: &[u8]) -> Result<Self, BadNal> {
        let mut bits = Bits::new(payload);
        let profile = bits.u(8)?;
        bits.u(16)?;
        let id = at_most(31, "sequence parameter set id", bits.ue()?)?;
        let (chroma_format, separate_colour_planes) = match profile {
            100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135 => high_profile(&mut bits)?,
            _ => (1, false),
        };
        let frame_num_bits = at_most(12, "log2_max_frame_num_minus4", bits.ue()?)? + 4;
        let picture_order = picture_order(&mut bits)?;
        bits.ue()?;
        bits.bit()?;
        let width = u64::from(bits.ue()?) + 1;
        let height = u64::from(bits.ue()?) + 1;
        let frame_mbs_only = bits.bit()?;
        Ok(Self {
            id,
            separate_colour_planes,
            chroma_array_type: if separate_colour_planes { 0 } else { chroma_format },
            frame_num_bits,
            picture_order,
            frame_mbs_only,
            map_units: width.saturating_mul(height),
        })
    }
}

fn high_profile(bits: &mut Bits<'_>) -> Result<(u32, bool), BadNal> {
    let chroma_format = at_most(3, "chroma_format_idc", bits.ue()?)?;
    let separate_colour_planes = chroma_format == 3 && bits.bit()?;
    bits.ue()?;
    bits.ue()?;
    bits.bit()?;
    if bits.bit()? {
        for list in 0..if chroma_format == 3 { 12 } else { 8 } {
            if bits.bit()? {
                skip_scaling_list(bits, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Ok((chroma_format, separate_colour_planes))
}

fn skip_scaling_list(bits: &mut Bits<'_>, size: u32) -> Result<(), BadNal> {
    let (mut last, mut next) = (8, 8);
    for _ in 0..size {
        if next != 0 {
            next = (last + delta_scale(bits)?).rem_euclid(256);
        }
        last = if next == 0 { last } else { next };
    }
    Ok(())
}

/// `delta_scale`, which is -128 to 127 (section 7.4.2.1.1.1).
fn delta_scale(bits: &mut Bits<'_>) -> Result<i32, BadNal> {
    let delta = bits.se()?;
    let is_scale = i8::try_from(delta).is_ok();
    if is_scale { Ok(delta) } else { Err(BadNal::BadValue("delta_scale", delta.unsigned_abs())) }
}

fn picture_order(bits: &mut Bits<'_>) -> Result<PictureOrder, BadNal> {
    match at_most(2, "pic_order_cnt_type", bits.ue()?)? {
        0 => {
            let bits = at_most(12, "log2_max_pic_order_cnt_lsb_minus4", bits.ue()?)? + 4;
            Ok(PictureOrder::Lsb { bits })
        }
        1 => {
            let always_zero = bits.bit()?;
            bits.skip_se()?;
            bits.skip_se()?;
            let cycle = at_most(255, "num_ref_frames_in_pic_order_cnt_cycle", bits.ue()?)?;
            (0..cycle).try_for_each(|_| bits.skip_se())?;
            Ok(if always_zero { PictureOrder::Implied } else { PictureOrder::Deltas })
        }
        _ => Ok(PictureOrder::Implied),
    }
}

/// A picture parameter set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pps {
    pub(super) id: u32,
    pub(super) sps_id: u32,
    pub(super) entropy_coding_cabac: bool,
    pub(super) bottom_field_order_present: bool,
    /// For slice groups that change (types 3 to 5), the map units by which they do.
    pub(super) slice_group_change_rate: Option<u64>,
    pub(super) references: [u32; 2],
    pub(super) weighted_prediction: bool,
    pub(super) explicit_bipredictive_weights: bool,
    pub(super) deblocking_control_present: bool,
    pub(super) redundant_picture_count_present: bool,
}

impl Pps {
    /// Reads a set from a NAL unit after its header byte.
    pub(super) fn parse(payload: &[u8]) -> Result<Self, BadNal> {
        let mut bits = Bits::new(payload);
        let id = at_most(255, "picture parameter set id", bits.ue()?)?;
        let sps_id = at_most(31, "sequence parameter set id", bits.ue()?)?;
        let entropy_coding_cabac = bits.bit()?;
        let bottom_field_order_present = bits.bit()?;
        let slice_group_change_rate = slice_groups(&mut bits)?;
        let references = [references(&mut bits)?, references(&mut bits)?];
        let weighted_prediction = bits.bit()?;
        let explicit_bipredictive_weights = bits.u(2)? == 1;
        (0..3).try_for_each(|_| bits.skip_se())?;
        let deblocking_control_present = bits.bit()?;
        bits.bit()?;
        Ok(Self {
            id,
            sps_id,
            entropy_coding_cabac,
            bottom_field_order_present,
            slice_group_change_rate,
            references,
            weighted_prediction,
            explicit_bipredictive_weights,
            deblocking_control_present,
            redundant_picture_count_present: bits.bit()?,
        })
    }
}

/// `num_ref_idx_active_minus1` as the number of references.
pub(super) fn references(bits: &mut Bits<'_>) -> Result<u32, BadNal> {
    Ok(at_most(31, "num_ref_idx_active_minus1", bits.ue()?)? + 1)
}

fn slice_groups(bits: &mut Bits<'_>) -> Result<Option<u64>, BadNal> {
    let groups = at_most(7, "num_slice_groups_minus1", bits.ue()?)?;
    if groups == 0 {
        return Ok(None);
    }
    match at_most(6, "slice_group_map_type", bits.ue()?)? {
        0 => (0..=groups).try_for_each(|_| bits.ue().map(drop))?,
        2 => (0..groups * 2).try_for_each(|_| bits.ue().map(drop))?,
        3..=5 => {
            bits.bit()?;
            return Ok(Some(u64::from(bits.ue()?) + 1));
        }
        6 => {
            let width = (groups + 1).next_power_of_two().trailing_zeros();
            let count = bits.ue()?;
            (0..=count).try_for_each(|_| bits.u(width).map(drop))?;
        }
        _ => (),
    }
    Ok(None)
}

pub(super) fn at_most(limit: u32, field: &'static str, value: u32) -> Result<u32, BadNal> {
    if value <= limit { Ok(value) } else { Err(BadNal::BadValue(field, value)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_high_profile_set_of_x264() {
        // 128x72, made by this project's clip script.
        let sps = [0x64, 0x00, 0x0a, 0xac, 0xd9, 0x42, 0x05, 0xfe, 0x58];
        let sps = Sps::parse(&sps).unwrap();
        assert_eq!((sps.id, sps.chroma_array_type, sps.frame_mbs_only), (0, 1, true));
    }

    #[test]
    fn a_scaling_list_with_a_step_that_is_none_is_refused() {
        // High profile; in its first list 0, which is one bit, and 2^31 - 1.
        let sps = [0x64, 0, 10, 0xad, 0xc0, 0, 0, 3, 0, 0x7f, 0xff, 0xff, 0xff, 0];
        assert_eq!(Sps::parse(&sps), Err(BadNal::BadValue("delta_scale", i32::MAX.unsigned_abs())));
    }

    #[test]
    fn sets_that_end_early_are_errors() {
        let sps = [0x64, 0x00, 0x0a, 0xac, 0xd9, 0x42, 0x05, 0xfe, 0x58];
        (0..6).for_each(|length| assert_eq!(Sps::parse(&sps[..length]), Err(BadNal::TooShort)));
        assert_eq!(Pps::parse(&[]), Err(BadNal::TooShort));
    }
}
