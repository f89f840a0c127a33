//! Ends a process that received a signal while its event loop is blocked.
//!
//! JavaScript learns of a signal only when its event loop turns. So this installs a signal handler before that of libuv: it
//! writes the number of the signal into a pipe and calls the previous handler. A thread reads the pipe; if the process still
//! runs when the limit is over, the thread writes one line and ends it.

use napi_derive::napi;

use crate::errors::{Result, guard};

/// From now on the process ends `limit_ms` after the first of these signals (Infinity: never), and one second after a second one.
#[napi]
pub fn arm_signal_watchdog(signals: Vec<i32>, limit_ms: f64) -> Result<()> {
    guard(|| {
        platform::arm(&signals, limit_ms);
        Ok(())
    })
}

/// Restores the handlers that were there before `armSignalWatchdog`.
#[napi]
pub fn disarm_signal_watchdog() -> Result<()> {
    guard(|| {
        platform::disarm();
        Ok(())
    })
}

#[cfg(not(unix))]
mod platform {
    pub(super) fn arm(_signals: &[i32], _limit_ms: f64) {}
    pub(super) fn disarm() {}
}

#[cfg(unix)]
mod platform {
    use std::ffi::{c_int, c_void};
    use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
    use std::mem::MaybeUninit;
    use std::os::fd::AsRawFd as _;
    use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};
    use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
    use std::sync::{Mutex, PoisonError};
    use std::time::{Duration, Instant};

    /// How long the process may run after a second signal.
    const AFTER_SECOND: Duration = Duration::from_secs(1);
    /// All signals have smaller numbers.
    const SIGNALS: usize = 65;
    /// The byte that ends the thread; no signal has this number.
    const END: u8 = 0;

    type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

    /// The end of the pipe that the handler writes to; -1: disarmed.
    static PIPE: AtomicI32 = AtomicI32::new(-1);
    /// The previous action of each signal. Never freed, since a handler may be reading it.
    static BEFORE: [AtomicPtr<libc::sigaction>; SIGNALS] =
        [const { AtomicPtr::new(std::ptr::null_mut()) }; SIGNALS];
    static ARMED: Mutex<Option<Armed>> = Mutex::new(None);

    struct Armed {
        writer: PipeWriter,
        signals: Vec<c_int>,
    }

    pub(super) fn arm(signals: &[i32], limit_ms: f64) {
        disarm();
        let Ok((reader, writer)) = pipe() else { return };
        let limit = Duration::try_from_secs_f64(limit_ms / 1000.0).ok();
        let watch = move || watch(reader, limit);
        if std::thread::Builder::new()
            .name("snowmesh-watchdog".into())
            .spawn(watch)
            .is_err()
        {
            return;
        }
        PIPE.store(writer.as_raw_fd(), Ordering::Release);
        let signals: Vec<c_int> = signals
            .iter()
            .copied()
            .filter(|&signal| signal > 0 && (signal as usize) < SIGNALS)
            .collect();
        for &signal in &signals {
            chain(signal);
        }
        *ARMED.lock().unwrap_or_else(PoisonError::into_inner) = Some(Armed { writer, signals });
    }

    pub(super) fn disarm() {
        let armed = ARMED.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Armed { mut writer, signals }) = armed else {
            return;
        };
        PIPE.store(-1, Ordering::Release);
        for signal in signals {
            unchain(signal);
        }
        // Fails if the thread has ended.
        let _ = writer.write_all(&[END]);
        // The descriptor stays open, since a handler may be about to write to it on another thread.
        std::mem::forget(writer);
    }

    /// Installs our handler in front of the present one.
    fn chain(signal: c_int) {
        let Some(current) = action_of(signal) else { return };
        if current.sa_sigaction == note as Handler as usize {
            return;
        }
        let mut ours = current;
        ours.sa_sigaction = note as Handler as usize;
        ours.sa_flags |= libc::SA_SIGINFO | libc::SA_RESTART;
        BEFORE[signal as usize].store(Box::into_raw(Box::new(current)), Ordering::Release);
        // SAFETY: `ours` is a complete action, and its handler is async-signal-safe.
        unsafe { libc::sigaction(signal, &raw const ours, std::ptr::null_mut()) };
    }

    /// Restores the previous action, unless other code has replaced ours since.
    fn unchain(signal: c_int) {
        let before = BEFORE[signal as usize].load(Ordering::Acquire);
        let Some(current) = action_of(signal) else { return };
        if before.is_null() || current.sa_sigaction != note as Handler as usize {
            return;
        }
        // SAFETY: `before` is an action that `chain` stored; it is never freed.
        unsafe { libc::sigaction(signal, before, std::ptr::null_mut()) };
    }

    fn action_of(signal: c_int) -> Option<libc::sigaction> {
        let mut action = MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: without a new action the call only writes the present one to `action`, which has its size.
        let done = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) };
        // SAFETY: the call succeeded, so it has written `action`.
        (done == 0).then(|| unsafe { action.assume_init() })
    }

    /// The handler: writes one byte into the pipe, then calls the previous handler. Async-signal-safe.
    extern "C" fn note(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
        let pipe = PIPE.load(Ordering::Acquire);
        if pipe >= 0 {
            let byte = signal as u8;
            // SAFETY: a descriptor that was stored here is never closed, and `write` is async-signal-safe. It leaves errno as the
            // interrupted code needs it, because it succeeds: a thread empties the pipe, and a second signal ends the process.
            unsafe { libc::write(pipe, (&raw const byte).cast(), 1) };
        }
        let before = BEFORE
            .get(signal as usize)
            .map_or(std::ptr::null_mut(), |slot| slot.load(Ordering::Acquire));
        if before.is_null() {
            return;
        }
        // SAFETY: an action that `chain` stored; it is never freed.
        let before = unsafe { &*before };
        match before.sa_sigaction {
            libc::SIG_DFL | libc::SIG_IGN => {}
            handler if before.sa_flags & libc::SA_SIGINFO != 0 => {
                // SAFETY: with SA_SIGINFO a handler has this signature.
                let handler: Handler = unsafe { std::mem::transmute(handler) };
                handler(signal, info, context);
            }
            handler => {
                // SAFETY: without SA_SIGINFO a handler has this signature.
                let handler: extern "C" fn(c_int) = unsafe { std::mem::transmute(handler) };
                handler(signal);
            }
        }
    }

    /// Waits for a signal, then for the end of the process.
    fn watch(reader: PipeReader, limit: Option<Duration>) {
        let bytes = bytes_of(reader);
        let Ok(first) = bytes.recv() else { return };
        if first == END {
            return;
        }
        let since = Instant::now();
        let mut deadline = limit.map(|limit| since + limit);
        let mut last = first;
        loop {
            let next = match deadline {
                Some(end) => bytes.recv_timeout(end.saturating_duration_since(Instant::now())),
                None => bytes.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match next {
                Ok(END) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(signal) => {
                    let soon = Instant::now() + AFTER_SECOND;
                    deadline = Some(deadline.map_or(soon, |end| end.min(soon)));
                    last = signal;
                }
                Err(RecvTimeoutError::Timeout) => end_process(first, since.elapsed(), last),
            }
        }
    }

    /// The bytes of the pipe as a channel, which can be read with a time limit.
    fn bytes_of(mut reader: PipeReader) -> Receiver<u8> {
        let (sender, bytes) = mpsc::channel();
        let forward = move || {
            let mut byte = [END];
            while reader.read_exact(&mut byte).is_ok() && sender.send(byte[0]).is_ok() && byte[0] != END {}
        };
        // If the thread does not start, the channel is closed and the watchdog does nothing.
        let _ = std::thread::Builder::new()
            .name("snowmesh-signals".into())
            .spawn(forward);
        bytes
    }

    fn end_process(signal: u8, since: Duration, last: u8) -> ! {
        let name = match c_int::from(signal) {
            libc::SIGTERM => "SIGTERM".to_owned(),
            libc::SIGINT => "SIGINT".to_owned(),
            number => format!("signal {number}"),
        };
        let code = 128 + c_int::from(last);
        let line = format!(
            "snowmesh: {name} was received {:.1} s ago and the event loop is blocked: the process ends now, without an orderly stop (exit code {code})\n",
            since.as_secs_f64()
        );
        let _ = std::io::stderr().write_all(line.as_bytes());
        // SAFETY: `_exit` ends the process at once and runs no exit handlers, which could wait for a lock that JavaScript holds.
        unsafe { libc::_exit(code) }
    }
}
