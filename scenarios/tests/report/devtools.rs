//! A headless Chromium, driven over the pipe of its devtools protocol: messages in JSON, each with
//! a NUL at its end. See <https://chromedevtools.github.io/devtools-protocol/>.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::spawn;
use std::time::Duration;
use tempfile::TempDir;

/// A browser that has hung up says nothing; then the test ends in an error instead of never.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Browser {
    child: Child,
    input: ChildStdin,
    output: Receiver<Value>,
    asked: u64,
    session: Option<String>,
    /// What the pages complained of: messages of the console and exceptions.
    pub(crate) complaints: Vec<String>,
    _profile: TempDir,
}

/// The browser on this machine, if there is one.
fn program() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    let mut all = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    all.find(|program| program.is_file())
}

impl Browser {
    /// Starts one, or says why none can be started.
    pub(crate) fn start() -> Result<Self, String> {
        let program = program().ok_or("no chromium on this machine")?;
        let profile = tempfile::tempdir().map_err(|e| e.to_string())?;
        // The protocol is spoken on the descriptors 3 and 4. The sandbox does not work for root and
        // in most containers, and all that is shown are pages of our own.
        let script = "exec \"$0\" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
             --no-first-run --remote-debugging-pipe --user-data-dir=\"$1\" about:blank \
             3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null";
        let mut child = Command::new("sh")
            .args(["-c", script])
            .arg(program)
            .arg(profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| e.to_string())?;
        let input = child.stdin.take().expect("its input is a pipe");
        let stdout = child.stdout.take().expect("its output is a pipe");
        let (sender, output) = channel();
        spawn(move || {
            for message in BufReader::new(stdout).split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).expect("devtools speak JSON");
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser = Self {
            child,
            input,
            output,
            asked: 0,
            session: None,
            complaints: vec![],
            _profile: profile,
        };
        browser.open_tab()?;
        Ok(browser)
    }

    fn open_tab(&mut self) -> Result<(), String> {
        let target = self.ask("Target.createTarget", &json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = self.ask("Target.attachToTarget", &attach)?;
        self.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            self.ask(domain, &json!({}))?;
        }
        Ok(())
    }

    /// One call and its answer; complaints that come in between are kept.
    fn ask(&mut self, method: &str, parameters: &Value) -> Result<Value, String> {
        self.asked += 1;
        let mut call = json!({"id": self.asked, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            call["sessionId"] = json!(session);
        }
        let sent = write!(self.input, "{call}\0").and_then(|()| self.input.flush());
        sent.map_err(|e| format!("{method}: {e}"))?;
        loop {
            let message = self.next(method)?;
            if message["id"] != json!(self.asked) {
                continue;
            }
            return match message.get("error") {
                Some(error) => Err(format!("{method}: {error}")),
                None => Ok(message["result"].clone()),
            };
        }
    }

    fn next(&mut self, what: &str) -> Result<Value, String> {
        let message = self.output.recv_timeout(PATIENCE);
        let message = message.map_err(|e| format!("chromium does not answer {what}: {e}"))?;
        let parameters = &message["params"];
        match message["method"].as_str() {
            Some("Runtime.exceptionThrown") => {
                self.complaints
                    .push(parameters["exceptionDetails"].to_string());
            }
            Some("Log.entryAdded") if parameters["entry"]["level"] == "error" => {
                self.complaints.push(parameters["entry"].to_string());
            }
            Some("Runtime.consoleAPICalled") => {
                self.complaints.push(parameters["args"].to_string());
            }
            _ => {}
        }
        Ok(message)
    }

    fn must(&mut self, method: &str, parameters: &Value) -> Value {
        self.ask(method, parameters)
            .unwrap_or_else(|e| panic!("{e}"))
    }

    /// Opens a page and waits until it is there and its script has run.
    pub(crate) fn open(&mut self, url: &str) {
        // A page of the same address but for the anchor would not be loaded anew.
        for url in ["about:blank", url] {
            self.must("Page.navigate", &json!({"url": url}));
            let loaded = "new Promise(done => document.readyState === 'complete' ? done() \
                 : addEventListener('load', () => done())).then(() => new Promise(done => \
                 requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0)))))";
            self.run(loaded);
        }
    }

    /// The width of the window, and whether it is dark.
    pub(crate) fn show(&mut self, width: u32, scheme: &str) {
        let size =
            json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600});
        self.must("Emulation.setDeviceMetricsOverride", &size);
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.must("Emulation.setEmulatedMedia", &features);
    }

    /// What an expression of JavaScript comes to.
    pub(crate) fn run(&mut self, expression: &str) -> Value {
        let call = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.must("Runtime.evaluate", &call);
        assert!(
            answer.get("exceptionDetails").is_none(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    /// Presses a key and lets go of it.
    pub(crate) fn press(&mut self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            self.must("Input.dispatchKeyEvent", &json!({"type": kind, "key": key}));
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.ask("Browser.close", &json!({}));
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
