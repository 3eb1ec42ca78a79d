//! Rows B16 and B05: `admit burn` makes images of audio discs. What is in them is compared with what ffmpeg makes of the same
//! clear media, and cueprint (of cuetools) reads the sheets. Both must be there.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::world::{Done, World};

/// A world whose policy says this.
pub(crate) fn licensing(script: &str) -> World {
    licensing_at(&[], script)
}

/// As [`licensing`], in a home that was made with more words.
pub(crate) fn licensing_at(more: &[&str], script: &str) -> World {
    let mut world = World::made_with(|_| None, more);
    relicense(&mut world, script);
    world
}

/// From now on the policy says this.
pub(crate) fn relicense(world: &mut World, script: &str) {
    world.stop_server();
    fs::write(world.path("home/policy.rhai"), script).unwrap();
    world.start_server();
}

/// Makes a clip of this sound and packages it. Says the realm.
pub(crate) fn protect(world: &World, name: &str, sound: &str, encoder: &[&str], more: &[&str]) -> String {
    let clear = format!("{name}.clear.mp4");
    world.ffmpeg(&[&["-f", "lavfi", "-i", sound, "-c:a"], encoder, &["-strict", "-2", &clear]].concat());
    let file = format!("{name}.mp4");
    let words = ["package", &clear, "-o", &file, "--home", "home", "--open", "--content-id", name];
    world.admit(&[&words, more].concat()).succeeded();
    world.realm_of(&file)
}

/// What ffmpeg decodes of a clear file: 44.1 kHz, 16 bits, two channels.
fn decoded(world: &World, name: &str, filter: &str) -> Vec<i16> {
    let clear = format!("{name}.clear.mp4");
    let words = ["-y", "-i", &clear, "-vn", "-af", filter, "-ar", "44100", "-ac", "2", "-f", "s16le", "pcm.raw"];
    world.ffmpeg(&words);
    samples(&fs::read(world.path("pcm.raw")).unwrap())
}

fn samples(bytes: &[u8]) -> Vec<i16> {
    bytes.chunks_exact(2).map(|sample| i16::from_le_bytes(sample.try_into().unwrap())).collect()
}

/// How much louder the expected sound is than the difference, in decibels.
fn signal_to_noise(expected: &[i16], found: &[i16]) -> f64 {
    let power = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
    let pairs = || expected.iter().zip(found);
    let noise = power(&mut pairs().map(|(a, b)| f64::from(*a) - f64::from(*b)));
    10.0 * (power(&mut expected.iter().map(|sample| f64::from(*sample))) / noise.max(1.0)).log10()
}

/// What cueprint says of a sheet.
fn cueprint(world: &World, template: [&str; 2]) -> String {
    let mut command = Command::new("cueprint");
    command.args(["-d", template[0], "-t", template[1], "disc.cue"]).current_dir(world.folder.path());
    Done::from(&command.output().expect("cuetools must be there for this test")).succeeded()
}

/// One channel as both, as loud as it was: left alone, ffmpeg makes it three decibels less.
const BOTH: &str = "pan=stereo|c0=c0|c1=c0";
const ALL: &str = "license.rights = \"play, burn-to-cd, playlist-burn\";";
const TONES: &str = "aevalsrc=0.4*sin(2*PI*440*t)+0.1*sin(2*PI*5000*t)|0.3*sin(2*PI*997*t):s=44100:d=5.1";

#[test]
fn b16_sound_as_a_disc_has_it_is_burnt_bit_for_bit() {
    let world = licensing(ALL);
    let said = ["--title", "First \"one\"", "--artist", "Änne", "--album", "The album"];
    let realm = protect(&world, "one", TONES, &["flac", "-sample_fmt", "s16"], &said);
    let noise = "anoisesrc=r=44100:c=pink:seed=7:d=6.2,aformat=channel_layouts=stereo";
    protect(&world, "two", noise, &["alac", "-sample_fmt", "s16p"], &["--artist", "Bo", "--album", "The album"]);
    let short = "anoisesrc=r=44100:seed=2:d=1,aformat=channel_layouts=mono";
    protect(&world, "short", short, &["flac", "-sample_fmt", "s16"], &["--title", "3"]);
    let words = ["burn", "one.mp4", "two.mp4", "short.mp4", "-o", "disc", "--trust", &realm, "--json"];
    let told = world.admit(&words).json();
    let image = fs::read(world.path("disc.bin")).unwrap();
    let starts: Vec<usize> = told["tracks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|track| usize::try_from(track["sector"].as_u64().unwrap()).unwrap())
        .collect();
    let sectors = |tenths: usize| (tenths * 75).div_ceil(10);
    assert_eq!(starts, [0, sectors(51), sectors(51) + sectors(62)]);
    assert_eq!(image.len(), (starts[2] + 4 * 75) * 2352);
    for (name, start) in ["one", "two", "short"].into_iter().zip(starts) {
        let expected = decoded(&world, name, if name == "short" { BOTH } else { "anull" });
        let found = samples(&image[start * 2352..]);
        assert!(expected.len() > 44_100 && found[..expected.len()] == expected, "{name}");
        let silence = (588 * 2 - expected.len() % (588 * 2)) % (588 * 2);
        assert!(found[expected.len()..][..silence].iter().all(|&sample| sample == 0), "{name}");
    }
    let discs = cueprint(&world, ["%N|%P|%T|", "%n|%p|%t|%f|"]);
    let expected = "3|Various Artists|disc|1|Änne|First 'one'|disc.bin|2|Bo|two|disc.bin|3||3|disc.bin|";
    assert_eq!(discs.replace('\n', ""), expected, "{discs}");
    let sheet = fs::read_to_string(world.path("disc.cue")).unwrap();
    assert!(sheet.contains("FILE \"disc.bin\" BINARY\n") && sheet.matches("PREGAP 00:02:00").count() == 2, "{sheet}");
    assert!(sheet.contains("INDEX 01 00:05:08\n"), "{sheet}");
}

#[test]
fn b16_other_sound_is_decoded_resampled_and_mixed_as_ffmpeg_does() {
    let world = licensing(ALL);
    let six = "aevalsrc=0.2*sin(2*PI*300*t)|0.2*sin(2*PI*500*t)|0.2*sin(2*PI*700*t)|0|0.1*sin(2*PI*900*t)|\
               0.1*sin(2*PI*1100*t):c=5.1:s=48000:d=5";
    let stereo_48 = "aevalsrc=0.4*sin(2*PI*440*t)|0.3*sin(2*PI*9000*t):s=48000:d=5";
    let cases: [(&str, &str, &[&str], f64); 6] = [
        ("aac", TONES, &["aac", "-b:a", "192k"], 70.0),
        ("mp3", TONES, &["libmp3lame", "-b:a", "192k"], 70.0),
        ("aac48", stereo_48, &["aac", "-b:a", "192k"], 50.0),
        ("mono", "aevalsrc=0.4*sin(2*PI*440*t):s=22050:d=5", &["flac"], 50.0),
        ("deep", "aevalsrc=0.4*sin(2*PI*440*t)|0.1*t:s=96000:d=5", &["flac", "-sample_fmt", "s32"], 50.0),
        ("six", six, &["flac"], 50.0),
    ];
    for (name, sound, encoder, least) in cases {
        let realm = protect(&world, name, sound, encoder, &[]);
        world.admit(&["burn", &format!("{name}.mp4"), "-o", "disc", "--trust", &realm]).succeeded();
        let expected = decoded(&world, name, if name == "mono" { BOTH } else { "anull" });
        let found = samples(&fs::read(world.path("disc.bin")).unwrap());
        // Where resampling begins and ends each filter has its own idea.
        let inside = 4000..expected.len() - 4000;
        let decibels = signal_to_noise(&expected[inside.clone()], &found[inside]);
        println!("{name}: {decibels:.1} dB");
        assert!(decibels > least, "{name}: {decibels} dB");
    }
}

#[test]
fn b05_burning_needs_the_right_to_it_and_a_playlist_another() {
    let mut world = licensing("license.rights = \"play, burn-to-cd\";");
    let realm = protect(&world, "one", TONES, &["flac"], &[]);
    fs::write(world.path("list.m3u"), "#EXTM3U\n#PLAYLIST:Mine\none.mp4\n").unwrap();
    let line = world.admit(&["burn", "--playlist", "list.m3u", "-o", "disc", "--trust", &realm]);
    let line = line.refused("NS_E_DRM_NO_RIGHTS");
    assert!(line.contains("playlist-burn"), "{line}");
    world.admit(&["burn", "one.mp4", "-o", "disc"]).succeeded();
    fs::remove_file(world.path("disc.bin")).unwrap();
    relicense(&mut world, "license.rights = \"play, playlist-burn\";");
    world.admit_as("other", &["burn", "one.mp4", "-o", "no", "--trust", &realm]).refused("NS_E_DRM_NO_RIGHTS");
    world.admit_as("other", &["burn", "--playlist", "list.m3u", "-o", "disc"]).succeeded();
    assert_eq!(cueprint(&world, ["%T", ""]).trim(), "Mine");
    relicense(&mut world, "license.rights = \"play\";");
    world.admit_as("third", &["burn", "one.mp4", "-o", "no", "--trust", &realm]).refused("NS_E_DRM_NO_RIGHTS");
    assert!(!world.path("no.bin").exists() && !world.path("no.cue").exists());
}

#[test]
fn b16_burns_are_counted_and_one_that_fails_before_a_sample_costs_nothing() {
    let world = licensing(
        "license.rights = \"burn-to-cd\";\nif content.id == \"one\" { license.burn_count = 2; }\n\
         if content.id == \"once\" { license.one_time = true; }\nif content.id == \"no\" { license.rights = \"play\"; }",
    );
    let realm = protect(&world, "one", TONES, &["flac"], &[]);
    protect(&world, "once", TONES, &["flac"], &[]);
    protect(&world, "no", TONES, &["flac"], &[]);
    let acquire = |file| world.admit(&["license", "acquire", file, "--action", "burn", "--trust", &realm]).succeeded();
    ["one.mp4", "once.mp4", "no.mp4"].into_iter().for_each(|file| drop(acquire(file)));
    let mut world = world;
    relicense(&mut world, "refuse(\"Sold out.\");");
    let burn = |files: &[&str]| world.admit(&[&["burn", "-o", "disc"], files].concat());
    // Neither the count nor the one use is taken where another track may not be burnt.
    burn(&["one.mp4", "once.mp4", "no.mp4"]).refused("ADMIT_E_POLICY_REFUSED");
    // Nor where the counts do not suffice for the whole disc.
    burn(&["one.mp4", "once.mp4", "one.mp4", "one.mp4"]).refused("ADMIT_E_COUNT_USED_UP");
    assert!(!world.path("disc.bin").exists() && !world.path("disc.cue").exists());
    burn(&["one.mp4", "once.mp4", "one.mp4"]).succeeded();
    burn(&["one.mp4"]).refused("ADMIT_E_POLICY_REFUSED");
    burn(&["once.mp4"]).refused("ADMIT_E_POLICY_REFUSED");
}

#[test]
fn b16_a_track_counts_as_often_as_it_is_in_a_playlist() {
    let world = licensing("license.rights = \"playlist-burn\";\nlicense.max_playlist_burn_count = 1;");
    let realm = protect(&world, "one", TONES, &["flac"], &[]);
    fs::write(world.path("twice.m3u"), "one.mp4\none.mp4\n").unwrap();
    fs::write(world.path("once.m3u"), "one.mp4\n").unwrap();
    let line = world.admit(&["burn", "--playlist", "twice.m3u", "-o", "disc", "--trust", &realm]);
    let line = line.refused("ADMIT_E_COUNT_USED_UP");
    assert!(line.contains("allowed this 1 times"), "{line}");
    world.admit(&["burn", "--playlist", "once.m3u", "-o", "disc"]).succeeded();
}

#[test]
fn b16_what_is_no_music_or_does_not_fit_is_said_before_anything_is_asked_for() {
    let world = licensing(ALL);
    let realm = protect(&world, "one", TONES, &["flac"], &[]);
    protect(&world, "opus", "sine=d=5", &["libopus"], &[]);
    world.ffmpeg(&["-f", "lavfi", "-i", "testsrc=d=1", "-c:v", "libx264", "silent.clear.mp4"]);
    let words = ["package", "silent.clear.mp4", "-o", "silent.mp4", "--home", "home", "--open"];
    world.admit(&words).succeeded();
    protect(&world, "long", "anullsrc=r=44100:d=2400", &["flac"], &[]);
    let burn = |files: &[&str]| world.admit(&[&["burn", "-o", "disc", "--trust", &realm], files].concat());
    let cases: [(&[&str], &str); 4] = [
        (&["one.mp4", "opus.mp4"], "there is no decoder for the codec Opus"),
        (&["silent.mp4"], "silent.mp4 has no sound"),
        (&["one.mp4"; 100], "at most 99 tracks, and these are 100"),
        (&["long.mp4", "long.mp4"], "at most 79:57 minutes with the gaps, and these are 80:02"),
    ];
    for (files, sentence) in cases {
        let line = burn(files).refused("ADMIT_E_MEDIA_UNSUPPORTED");
        assert!(line.contains(sentence), "{sentence}: {line}");
    }
    burn(&["one.mp4", "one.clear.mp4"]).refused("ADMIT_E_NOT_PROTECTED");
    assert!(!world.path("disc.bin").exists() && !world.path("client").exists(), "nobody was asked");
    let done = world.admit(&["burn", "-o", "disc"]);
    assert_eq!(done.code, Some(2), "{}", done.stderr);
}

#[test]
fn b16_a_burn_that_breaks_off_leaves_no_half_of_an_image() {
    let world = licensing(ALL);
    let realm = protect(&world, "one", TONES, &["flac"], &[]);
    let mut file = fs::read(world.path("one.mp4")).unwrap();
    file.truncate(file.len() - 1000);
    fs::write(world.path("cut.mp4"), file).unwrap();
    world.admit(&["burn", "one.mp4", "cut.mp4", "-o", "disc", "--trust", &realm]).refused("ADMIT_E_MEDIA_MALFORMED");
    fs::create_dir(world.path("taken.cue")).unwrap();
    world.admit(&["burn", "one.mp4", "-o", "taken"]).refused("ADMIT_E_FILE");
    let names = fs::read_dir(world.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = names.map(|name| name.into_string().unwrap()).filter(|name| name.contains(".bin")).collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(world.admit(&["burn", "one.mp4", "-o", "no\"name"]).code, Some(2));
}

#[test]
fn b16_the_commands_of_the_page_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = fs::read_to_string(root.join("docs/operate/burn-and-save.md")).unwrap();
    let script: String = page.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    // The one command that not every build has.
    let offscreen = "admit play film.mp4 --offscreen --json\n";
    assert!(script.contains(offscreen), "{script}");
    let script = if cfg!(feature = "player") { script } else { script.replace(offscreen, "") };
    let folder = tempfile::tempdir().unwrap();
    // The server of the page is stopped when a step fails, too.
    let script = format!("set -eu\ntrap 'kill \"$(cat server.pid)\" 2>/dev/null || true' EXIT\n{script}");
    let programs = Path::new(env!("CARGO_BIN_EXE_admit")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(folder.path()).env("PATH", path).stdin(Stdio::null());
    command.env_remove("ADMIT_HOME").env("ADMIT_CLIENT", folder.path().join("client"));
    let done = Done::from(&command.output().unwrap());
    let said = done.succeeded();
    for told in
        ["TITLE \"Waves\"\nPERFORMER \"The Sines\"", "INDEX 01 00:06:00", "wrote waves.bin and waves.cue (2 tracks"]
    {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert_eq!(said.contains("\"first_colour\""), cfg!(feature = "player"), "{said}");
    let twice = fs::read_to_string(folder.path().join("twice.cue")).unwrap();
    assert!(twice.starts_with("TITLE \"Waves, twice\"\n") && twice.contains("TRACK 03"), "{twice}");
}
