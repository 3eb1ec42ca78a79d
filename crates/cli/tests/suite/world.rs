//! A folder with an operator's home, a running server, and clients.

use std::fs;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// What a command did.
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// An operator and any number of clients in one folder. The server is stopped when it is dropped.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    server: Option<Child>,
    address: String,
    /// A variable that all commands are given.
    variable: Option<(&'static str, PathBuf)>,
}

impl World {
    /// A home, served.
    pub(crate) fn new() -> Self {
        let mut world = Self::unserved();
        world.start_server();
        world
    }

    /// A home with a line of its settings replaced, served.
    pub(crate) fn with_settings(line: &str, other: &str) -> Self {
        let mut world = Self::unserved();
        world.set_settings(line, other);
        world.start_server();
        world
    }

    fn set_settings(&self, line: &str, other: &str) {
        let path = self.path("home/admit.toml");
        let settings = fs::read_to_string(&path).unwrap();
        assert!(settings.contains(line), "{settings}");
        fs::write(path, settings.replace(line, other)).unwrap();
    }

    /// A home with this acquisition script, served.
    pub(crate) fn with_policy(script: &str) -> Self {
        let mut world = Self::unserved();
        fs::write(world.path("home/policy.rhai"), script).unwrap();
        world.start_server();
        world
    }

    /// A home that is not served yet.
    pub(crate) fn unserved() -> Self {
        Self::made_with(|_| None, &[])
    }

    /// A home that is not served yet, made with more words after the folder was prepared. What that says is a variable
    /// that all commands are given.
    pub(crate) fn made_with(prepare: impl FnOnce(&Path) -> Option<(&'static str, PathBuf)>, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let variable = prepare(folder.path());
        let world = Self { folder, server: None, address, variable };
        let public = format!("http://{}", world.address);
        let words = ["init", "home", "--demo-root-online", "--public-address", &public];
        world.admit(&[&words, more].concat()).succeeded();
        world
    }

    /// Host and port of the server.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn start_server(&mut self) {
        let mut command = self.command(&["serve", "--home", "home", "--listen", &self.address]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), format!("listening on http://{}", self.address));
        self.server = Some(child);
    }

    pub(crate) fn stop_server(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    /// Sends the running server a signal.
    pub(crate) fn signal_server(&self, name: &str) {
        let id = self.server.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Starts a command.
    pub(crate) fn spawn(&self, words: &[&str]) -> Child {
        self.command(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// The number of the realm document that the server sends.
    pub(crate) fn document_number(&self) -> u64 {
        let document = self.get("/.well-known/admit");
        fs::write(self.path("realm.cbor"), document).unwrap();
        self.admit(&["inspect", "realm.cbor", "--json"]).json()["number"].as_u64().unwrap()
    }

    /// What the server answers with 200.
    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        let mut stream = std::net::TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
        let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
        answer.split_off(head + 4)
    }

    /// What the kernel says of the running server, from a file of `/proc`.
    pub(crate) fn of_server(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.server.as_ref().unwrap().id())).unwrap()
    }

    /// Runs `admit` as the client in the folder `client`.
    pub(crate) fn admit(&self, words: &[&str]) -> Done {
        self.admit_as("client", words)
    }

    /// Runs `admit` as the client in another folder.
    pub(crate) fn admit_as(&self, client: &str, words: &[&str]) -> Done {
        let output = self.command(words).env("ADMIT_CLIENT", self.path(client)).output().unwrap();
        Done::from(&output)
    }

    /// Packages the clip for this content id, with more words, and says which realm the header names.
    pub(crate) fn package(&self, output: &str, content: &str, more: &[&str]) -> String {
        let clip = clip();
        let words = ["package", clip.to_str().unwrap(), "-o", output, "--home", "home", "--content-id", content];
        self.admit(&[&words, more].concat()).succeeded();
        self.realm_of(output)
    }

    pub(crate) fn realm_of(&self, file: &str) -> String {
        self.admit(&["inspect", file, "--json"]).json()["header"]["realm"].as_str().unwrap().to_owned()
    }

    pub(crate) fn token(&self, content: &str) -> String {
        self.admit(&["token", "--subject", "alice", "--content", content, "--home", "home"])
            .succeeded()
            .trim()
            .to_owned()
    }

    /// The audit record's events, oldest first.
    pub(crate) fn events(&self) -> Vec<String> {
        let document = self.admit(&["audit", "--home", "home", "--json"]).json();
        assert_eq!(document["whole"], true);
        let entries = document["entries"].as_array().unwrap();
        entries.iter().map(|entry| entry["event"].as_str().unwrap().to_owned()).collect()
    }

    /// Runs ffmpeg in the folder, and gives what it printed.
    pub(crate) fn ffmpeg(&self, words: &[&str]) -> String {
        let mut command = Command::new(ffmpeg());
        let output = command.args(["-v", "error"]).args(words).current_dir(self.folder.path()).output().unwrap();
        Done::from(&output).succeeded()
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// The folder of a client's only realm.
    pub(crate) fn realm_folder(&self, client: &str) -> PathBuf {
        let mut entries = fs::read_dir(self.path(client)).unwrap();
        let folder = entries.next().unwrap().unwrap().path();
        assert!(entries.next().is_none());
        folder
    }

    /// The folder of the realm in a device's folder, beside which there may be other things.
    pub(crate) fn realm_folder_of(&self, device: &str) -> PathBuf {
        let entries = fs::read_dir(self.path(device)).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_dir()).last().unwrap()
    }

    /// The command that [`Self::admit`] runs.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_admit"));
        command.args(words).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_remove("ADMIT_HOME").env("ADMIT_CLIENT", self.path("client"));
        command.envs(self.variable.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop_server();
    }
}

impl From<&Output> for Done {
    fn from(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

impl Done {
    /// What it printed, if it succeeded.
    #[track_caller]
    pub(crate) fn succeeded(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self.stdout
    }

    /// What it warned of on standard error, and the rest of that.
    pub(crate) fn warnings(&self) -> (Vec<&str>, String) {
        let (warnings, rest): (Vec<_>, Vec<_>) = self.stderr.lines().partition(|line| line.starts_with("warning: "));
        (warnings, rest.join("\n"))
    }

    /// Asserts that it ended with exit code 1 and one line for this code beside warnings, in the form that the contract says.
    #[track_caller]
    pub(crate) fn refused(self, name: &str) -> String {
        assert_eq!(self.code, Some(1), "{}{}", self.stdout, self.stderr);
        let (_, line) = self.warnings();
        assert_eq!(line.lines().count(), 1, "{line}");
        let rest = line.strip_prefix(name).unwrap_or_else(|| panic!("not {name}: {line}"));
        assert!(rest.starts_with(" (0x") && rest.contains("): ") && rest.contains(". What to do: "), "{line}");
        assert!(line.ends_with('.'), "{line}");
        line
    }

    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let text = self.succeeded();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

/// The ffmpeg to use: `ADMIT_FFMPEG`, else `ffmpeg`.
pub(crate) fn ffmpeg() -> String {
    std::env::var("ADMIT_FFMPEG").unwrap_or_else(|_| "ffmpeg".into())
}

/// A clip that the project carries: H.264 and AAC, progressive.
pub(crate) fn clip() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/media/high-progressive.mp4")
}
