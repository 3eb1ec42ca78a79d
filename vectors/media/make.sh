#!/bin/sh
# Makes the test clips of this folder with ffmpeg (libx264 and its own AAC encoder): seconds of test picture and
# tone. Run it in this folder; the results are committed. ADMIT_FFMPEG names another ffmpeg.
set -eu
ffmpeg="${ADMIT_FFMPEG:-ffmpeg}"
picture="-f lavfi -i testsrc2=size=128x72:rate=25:duration=2"
tone="-f lavfi -i sine=frequency=440:sample_rate=44100:duration=2"
exact="-fflags +bitexact -flags:v +bitexact -flags:a +bitexact -threads 1"
audio="-c:a aac -b:a 48k"
fragmented="-movflags +frag_keyframe+empty_moov+default_base_moof"
x264="-c:v libx264 -preset medium -pix_fmt yuv420p -crf 30 -g 25"
make() {
    name=$1
    shift
    # shellcheck disable=SC2086
    "$ffmpeg" -v error -y $picture $tone -map 0:v -map 1:a "$@" $audio $exact "$name"
}
# High profile: B pictures, CABAC, weighted prediction.
make high-progressive.mp4 $x264 -profile:v high -bf 3 -x264-params weightp=2:weightb=1:ref=4 \
    -metadata title="Test picture" -metadata artist="Admit" -metadata copyright="Public domain"
make high-fragmented.mp4 $x264 -profile:v high -bf 3 -x264-params weightp=2:ref=4 $fragmented
# Baseline profile: CAVLC, four slices a picture; moov first.
make baseline-progressive.mp4 $x264 -profile:v baseline -x264-params slices=4 -movflags +faststart
make baseline-fragmented.mp4 $x264 -profile:v baseline -x264-params slices=4 $fragmented
# Interlaced: fields in macroblock pairs, field order in slice headers.
make interlaced-progressive.mp4 $x264 -profile:v high -bf 2 -x264-params tff=1:bframes=2:weightp=0
# Parameter sets in the samples (avc3), a large picture rate of intra pictures.
make inband-fragmented.mp4 $x264 -profile:v main -tag:v avc3 -bsf:v dump_extra=freq=keyframe $fragmented
# Sound alone.
"$ffmpeg" -v error -y $tone $audio $exact -metadata title="Tone" -f mp4 audio-only.mp4
# Seven seconds and several fragments; a group of pictures each second.
picture="-f lavfi -i testsrc2=size=64x36:rate=25:duration=7"
tone="-f lavfi -i sine=frequency=440:sample_rate=44100:duration=7"
make long-progressive.mp4 $x264 -profile:v high -bf 2
