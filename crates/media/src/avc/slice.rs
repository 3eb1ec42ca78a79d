//! The slice header (ITU-T H.264 section 7.3.3): only its length is wanted.

use super::BadNal;
use super::bits::Bits;
use super::parameter_sets::{PictureOrder, Pps, Sps, at_most, references};

/// What the bytes of a NAL unit's header say about the slice in it.
#[derive(Clone, Copy)]
pub(super) struct NalHeader {
    pub(super) idr: bool,
    pub(super) reference: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SliceType {
    P,
    B,
    I,
    Sp,
    Si,
}

/// Bytes of the slice header in `payload`, a slice's NAL unit after its header byte, the last begun byte included.
pub(super) fn header_length<'p>(
    payload: &[u8],
    nal: NalHeader,
    parameter_sets: impl Fn(u32) -> Option<(&'p Sps, &'p Pps)>,
) -> Result<usize, BadNal> {
    let mut bits = Bits::new(payload);
    bits.ue()?;
    let slice_type = match at_most(9, "slice_type", bits.ue()?)? % 5 {
        0 => SliceType::P,
        1 => SliceType::B,
        2 => SliceType::I,
        3 => SliceType::Sp,
        _ => SliceType::Si,
    };
    let pps_id = bits.ue()?;
    let (sps, pps) = parameter_sets(pps_id).ok_or(BadNal::NoParameterSet(pps_id))?;
    skip_picture(&mut bits, nal, sps, pps)?;
    skip_prediction(&mut bits, slice_type, sps, pps)?;
    if nal.reference {
        skip_reference_marking(&mut bits, nal.idr)?;
    }
    skip_end(&mut bits, slice_type, sps, pps)?;
    Ok(bits.bytes_begun())
}

/// From `colour_plane_id` to `redundant_pic_cnt`.
fn skip_picture(bits: &mut Bits<'_>, nal: NalHeader, sps: &Sps, pps: &Pps) -> Result<(), BadNal> {
    if sps.separate_colour_planes {
        bits.u(2)?;
    }
    bits.u(sps.frame_num_bits)?;
    let field = !sps.frame_mbs_only && bits.bit()?;
    if field {
        bits.bit()?;
    }
    if nal.idr {
        bits.ue()?;
    }
    let bottom_differs = pps.bottom_field_order_present && !field;
    match sps.picture_order {
        PictureOrder::Lsb { bits: width } => {
            bits.u(width)?;
            if bottom_differs {
                bits.skip_se()?;
            }
        }
        PictureOrder::Deltas => {
            bits.skip_se()?;
            if bottom_differs {
                bits.skip_se()?;
            }
        }
        PictureOrder::Implied => (),
    }
    if pps.redundant_picture_count_present {
        bits.ue()?;
    }
    Ok(())
}

/// From `direct_spatial_mv_pred_flag` to the end of `pred_weight_table`.
fn skip_prediction(bits: &mut Bits<'_>, slice_type: SliceType, sps: &Sps, pps: &Pps) -> Result<(), BadNal> {
    use SliceType::{B, I, P, Si, Sp};
    if slice_type == B {
        bits.bit()?;
    }
    let mut counts = pps.references;
    if !matches!(slice_type, I | Si) {
        if bits.bit()? {
            counts[0] = references(bits)?;
            if slice_type == B {
                counts[1] = references(bits)?;
            }
        }
        skip_list_modification(bits)?;
    }
    if slice_type == B {
        skip_list_modification(bits)?;
    }
    let weighted = pps.weighted_prediction && matches!(slice_type, P | Sp);
    if weighted || pps.explicit_bipredictive_weights && slice_type == B {
        skip_weights(bits, slice_type, sps, counts)?;
    }
    Ok(())
}

/// One list of section 7.3.3.1.
fn skip_list_modification(bits: &mut Bits<'_>) -> Result<(), BadNal> {
    if bits.bit()? {
        while at_most(3, "modification_of_pic_nums_idc", bits.ue()?)? != 3 {
            bits.ue()?;
        }
    }
    Ok(())
}

/// Section 7.3.3.2.
fn skip_weights(bits: &mut Bits<'_>, slice_type: SliceType, sps: &Sps, counts: [u32; 2]) -> Result<(), BadNal> {
    bits.ue()?;
    let chroma = sps.chroma_array_type != 0;
    if chroma {
        bits.ue()?;
    }
    let lists = if slice_type == SliceType::B { 2 } else { 1 };
    for _ in counts.iter().take(lists).flat_map(|&count| 0..count) {
        if bits.bit()? {
            (0..2).try_for_each(|_| bits.skip_se())?;
        }
        if chroma && bits.bit()? {
            (0..4).try_for_each(|_| bits.skip_se())?;
        }
    }
    Ok(())
}

/// Section 7.3.3.3.
fn skip_reference_marking(bits: &mut Bits<'_>, idr: bool) -> Result<(), BadNal> {
    if idr {
        return bits.u(2).map(drop);
    }
    if bits.bit()? {
        loop {
            let values = match at_most(6, "memory_management_control_operation", bits.ue()?)? {
                0 => break,
                3 => 2,
                5 => 0,
                _ => 1,
            };
            (0..values).try_for_each(|_| bits.ue().map(drop))?;
        }
    }
    Ok(())
}

/// From `cabac_init_idc` to the end.
fn skip_end(bits: &mut Bits<'_>, slice_type: SliceType, sps: &Sps, pps: &Pps) -> Result<(), BadNal> {
    if pps.entropy_coding_cabac && !matches!(slice_type, SliceType::I | SliceType::Si) {
        bits.ue()?;
    }
    bits.skip_se()?;
    if matches!(slice_type, SliceType::Sp | SliceType::Si) {
        if slice_type == SliceType::Sp {
            bits.bit()?;
        }
        bits.skip_se()?;
    }
    if pps.deblocking_control_present && bits.ue()? != 1 {
        bits.skip_se()?;
        bits.skip_se()?;
    }
    if let Some(rate) = pps.slice_group_change_rate {
        let width = u64::BITS - sps.map_units.div_ceil(rate).leading_zeros();
        bits.u(width.min(32))?;
    }
    Ok(())
}
