//! Ends a process that received a signal while its event loop is blocked.
//!
//! JavaScript learns of a signal only when its event loop turns. So this installs a signal handler before that of libuv: it
//! writes the number of the signal into a pipe and calls the previous handler. A thread reads the pipe; if the process still
//! runs when the limit is over, the thread writes one line and ends it.
//!
//! Other code, such as a second copy of this addon, may install its handler over ours and call ours from it. Then ours cannot be
//! removed, and another arming must not install it again: it would call the other one, and that one would call it. So each
//! arming over a handler of other code takes another function of [`HANDLERS`]. Each of them only calls a handler that was
//! installed before it, so no chain of them is a ring.

use napi_derive::napi;

use crate::errors::{Result, fault, guard};

/// From now on the process ends `limit_ms` after the first of these signals (Infinity: never), and one second after a second one.
/// Fails, and is then disarmed, when the system refuses a pipe or a thread.
#[napi]
pub fn arm_signal_watchdog(signals: Vec<i32>, limit_ms: f64) -> Result<()> {
    guard(|| {
        platform::arm(&signals, limit_ms)
            .map_err(|error| fault(&format!("the signal watchdog cannot start: {error}")))
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
    pub(super) fn arm(_signals: &[i32], _limit_ms: f64) -> std::io::Result<()> {
        Ok(())
    }
    pub(super) fn disarm() {}
}

#[cfg(unix)]
mod platform {
    use std::ffi::{c_int, c_void};
    use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _, pipe};
    use std::mem::MaybeUninit;
    use std::os::fd::AsRawFd as _;
    use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicUsize, Ordering};
    use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use std::time::{Duration, Instant};

    /// How long the process may run after a second signal.
    const AFTER_SECOND: Duration = Duration::from_secs(1);
    /// All signals have smaller numbers.
    const SIGNALS: usize = 65;
    type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

    /// How many of our handlers can be in the chain of one signal. With all of them below handlers of other code, the last one
    /// stays in use.
    const LEVELS: usize = 8;
    const HANDLERS: [Handler; LEVELS] = [
        note::<0>, note::<1>, note::<2>, note::<3>, note::<4>, note::<5>, note::<6>, note::<7>,
    ];

    /// The end of the pipe that the handler writes to; -1: disarmed.
    static PIPE: AtomicI32 = AtomicI32::new(-1);
    /// The action that each handler calls for each signal. Never freed, since a handler may be reading it.
    static BEFORE: [[AtomicPtr<libc::sigaction>; SIGNALS]; LEVELS] =
        [const { [const { AtomicPtr::new(std::ptr::null_mut()) }; SIGNALS] }; LEVELS];
    /// The handler of each signal that writes, since one signal is one byte: the one that was installed last.
    static WRITES: [AtomicUsize; SIGNALS] = [const { AtomicUsize::new(LEVELS) }; SIGNALS];
    /// How many handlers of each signal were installed and may still be called. Used while `ARMED` is locked.
    static TAKEN: [AtomicUsize; SIGNALS] = [const { AtomicUsize::new(0) }; SIGNALS];
    static STATE: Mutex<State> = Mutex::new(State {
        writer: None,
        signals: Vec::new(),
    });
    /// To the thread that waits for the end of the process; `None`: disarmed.
    static WATCH: Mutex<Option<Sender<u8>>> = Mutex::new(None);

    struct State {
        /// The pipe, made by the first arming. It is never closed, since a handler may be about to write to it on another thread.
        writer: Option<PipeWriter>,
        /// Those that are armed.
        signals: Vec<c_int>,
    }

    pub(super) fn arm(signals: &[i32], limit_ms: f64) -> io::Result<()> {
        let mut state = lock(&STATE);
        disarm_locked(&mut state);
        let pipe = open_pipe(&mut state)?;
        let limit = Duration::try_from_secs_f64(limit_ms / 1000.0).ok();
        let (sender, bytes) = mpsc::channel();
        spawn("snowmesh-watchdog", move || watch(&bytes, limit))?;
        *lock(&WATCH) = Some(sender);
        PIPE.store(pipe, Ordering::Release);
        state.signals = signals
            .iter()
            .copied()
            .filter(|&signal| signal > 0 && (signal as usize) < SIGNALS)
            .collect();
        for &signal in &state.signals {
            install(signal);
        }
        Ok(())
    }

    /// The end of the pipe that the handler writes to. The pipe and its thread serve all armings of the process.
    fn open_pipe(state: &mut State) -> io::Result<c_int> {
        if let Some(writer) = &state.writer {
            return Ok(writer.as_raw_fd());
        }
        let (reader, writer) = pipe()?;
        spawn("snowmesh-signals", move || forward(reader))?;
        Ok(state.writer.insert(writer).as_raw_fd())
    }

    fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(body)
            .map(drop)
    }

    fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn disarm() {
        disarm_locked(&mut lock(&STATE));
    }

    fn disarm_locked(state: &mut State) {
        PIPE.store(-1, Ordering::Release);
        for signal in state.signals.drain(..) {
            uninstall(signal);
        }
        // Without a sender the thread that waits ends.
        *lock(&WATCH) = None;
    }

    /// Installs one of our handlers over the present one.
    fn install(signal: c_int) {
        let taken = TAKEN[signal as usize].load(Ordering::Relaxed);
        let Some(current) = action_of(signal) else { return };
        // A handler under one of ours that is the present one again was installed anew, as libuv does, and calls none of ours.
        let level = (0..taken)
            .find(|&level| before(level, signal).is_some_and(|old| old.sa_sigaction == current.sa_sigaction))
            .unwrap_or(taken);
        let Some(&handler) = HANDLERS.get(level) else {
            return;
        };
        let mut ours = current;
        ours.sa_sigaction = handler as usize;
        ours.sa_flags |= libc::SA_SIGINFO | libc::SA_RESTART;
        // The action of the arming before is used again, since it is never freed.
        if !before(level, signal).is_some_and(|old| is_same(old, &current)) {
            BEFORE[level][signal as usize].store(Box::into_raw(Box::new(current)), Ordering::Release);
        }
        TAKEN[signal as usize].store(taken.max(level + 1), Ordering::Relaxed);
        // SAFETY: `ours` is a complete action, and its handler is async-signal-safe.
        unsafe { libc::sigaction(signal, &raw const ours, std::ptr::null_mut()) };
        WRITES[signal as usize].store(level, Ordering::Release);
    }

    /// Restores the previous action. A handler over which other code has installed its own stays, since that code may call it.
    fn uninstall(signal: c_int) {
        let level = WRITES[signal as usize].load(Ordering::Acquire);
        let (Some(&handler), Some(before)) = (HANDLERS.get(level), before(level, signal)) else {
            return;
        };
        if action_of(signal).is_none_or(|current| current.sa_sigaction != handler as usize) {
            return;
        }
        // SAFETY: `before` is a complete action that was in use.
        unsafe { libc::sigaction(signal, before, std::ptr::null_mut()) };
        WRITES[signal as usize].store(LEVELS, Ordering::Release);
        if TAKEN[signal as usize].load(Ordering::Relaxed) == level + 1 {
            TAKEN[signal as usize].store(level, Ordering::Relaxed);
        }
    }

    /// The action that a handler of ours calls.
    fn before(level: usize, signal: c_int) -> Option<&'static libc::sigaction> {
        let action = BEFORE.get(level)?.get(signal as usize)?.load(Ordering::Acquire);
        // SAFETY: null, or an action that `install` stored; it is never freed.
        unsafe { action.as_ref() }
    }

    fn is_same(one: &libc::sigaction, other: &libc::sigaction) -> bool {
        // SAFETY: both masks are complete; a number that is no signal of the system gives -1 for both.
        let blocks = |action: &libc::sigaction, signal| unsafe {
            libc::sigismember(&raw const action.sa_mask, signal)
        };
        one.sa_sigaction == other.sa_sigaction
            && one.sa_flags == other.sa_flags
            && (1..)
                .take(SIGNALS - 1)
                .all(|signal: c_int| blocks(one, signal) == blocks(other, signal))
    }

    fn action_of(signal: c_int) -> Option<libc::sigaction> {
        let mut action = MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: without a new action the call only writes the present one to `action`, which has its size.
        let done = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) };
        // SAFETY: the call succeeded, so it has written `action`.
        (done == 0).then(|| unsafe { action.assume_init() })
    }

    /// A handler: the last one that was installed writes one byte into the pipe; each calls the previous handler. Async-signal-safe.
    extern "C" fn note<const LEVEL: usize>(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
        let Some(before) = before(LEVEL, signal) else {
            return;
        };
        let pipe = PIPE.load(Ordering::Acquire);
        if pipe >= 0 && WRITES[signal as usize].load(Ordering::Acquire) == LEVEL {
            let byte = signal as u8;
            // SAFETY: a descriptor that was stored here is never closed, and `write` is async-signal-safe. It leaves errno as the
            // interrupted code needs it, because it succeeds: `forward` empties the pipe for ever.
            unsafe { libc::write(pipe, (&raw const byte).cast(), 1) };
        }
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
    fn watch(bytes: &Receiver<u8>, limit: Option<Duration>) {
        let Ok(first) = bytes.recv() else { return };
        let since = Instant::now();
        let mut deadline = limit.map(|limit| since + limit);
        let mut last = first;
        loop {
            let next = match deadline {
                Some(end) => bytes.recv_timeout(end.saturating_duration_since(Instant::now())),
                None => bytes.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match next {
                Err(RecvTimeoutError::Disconnected) => return,
                Ok(signal) => {
                    let soon = Instant::now() + AFTER_SECOND;
                    deadline = Some(deadline.map_or(soon, |end| end.min(soon)));
                    last = signal;
                }
                Err(RecvTimeoutError::Timeout) => end_process(first, since.elapsed(), last),
            }
        }
    }

    /// Passes the bytes of the pipe to the thread that waits, which can do so with a time limit. Reads on when nothing takes them: the
    /// handler's write must succeed.
    fn forward(mut reader: PipeReader) {
        let mut byte = [0];
        while reader.read_exact(&mut byte).is_ok() {
            if let Some(sender) = lock(&WATCH).as_ref() {
                let _ = sender.send(byte[0]);
            }
        }
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
        let _ = io::stderr().write_all(line.as_bytes());
        // SAFETY: `_exit` ends the process at once and runs no exit handlers, which could wait for a lock that JavaScript holds.
        unsafe { libc::_exit(code) }
    }
}
