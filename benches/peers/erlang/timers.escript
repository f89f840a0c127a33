#!/usr/bin/env escript
%% A million timers of one process: started, cancelled, and fired as messages
%% within 100 ms. Usage: escript timers.escript local.s1. A JSON line a figure,
%% BENCH_RUNS runs after one that is thrown away.
-mode(compile).

main([Prefix]) ->
    Count = list_to_integer(os:getenv("BENCH_COUNT", "1000000")),
    Runs = list_to_integer(os:getenv("BENCH_RUNS", "5")),
    %% A process of its own: the one that runs the script has another heap.
    Self = self(),
    spawn_link(fun() ->
        run(Count),
        Self ! {runs, [run(Count) || _ <- lists:seq(1, Runs)]}
    end),
    receive {runs, Figures} -> report(Prefix ++ ".timers_1m", Figures) end.

run(Count) ->
    garbage_collect(),
    T0 = now_ns(),
    Refs = start(Count, []),
    T1 = now_ns(),
    cancel(Refs),
    T2 = now_ns(),
    fire(Count),
    drain(Count),
    T3 = now_ns(),
    [{".start", Count * 1.0e9 / (T1 - T0), "timers/s"},
     {".cancel", Count * 1.0e9 / (T2 - T1), "timers/s"},
     {".fire", Count * 1.0e9 / (T3 - T2), "timers/s"}].

now_ns() -> erlang:monotonic_time(nanosecond).

start(0, Refs) -> Refs;
start(N, Refs) ->
    start(N - 1, [erlang:send_after(60000 + (N * 7919) rem 600000, self(), late) | Refs]).

cancel([]) -> ok;
cancel([Ref | Refs]) -> erlang:cancel_timer(Ref), cancel(Refs).

fire(0) -> ok;
fire(N) -> erlang:send_after(1 + N rem 100, self(), due), fire(N - 1).

drain(0) -> ok;
drain(N) -> receive due -> drain(N - 1) end.

report(Name, [First | _] = Figures) ->
    [io:format("{\"suite\":\"erlang-otp~s\",\"case\":\"~s~s\",\"unit\":\"~s\",\"runs\":[~s]}~n",
               [erlang:system_info(otp_release), Name, Suffix, Unit,
                lists:join(",", [float_to_list(value(Suffix, F), [{decimals, 2}]) || F <- Figures])])
     || {Suffix, _, Unit} <- First].

value(Suffix, Figures) -> element(2, lists:keyfind(Suffix, 1, Figures)).
