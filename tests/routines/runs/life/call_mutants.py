"""As mutants.py: the rules for programs' calls, each broken in one place."""

from routines.callers import asking, idempotency, keys
from routines.runs import accepting, caps, queue, reopening, rules
from tests.routines.runs.life import call_scripts
from tests.routines.runs.life.mutants import Mutant

MUTANTS = [
    Mutant(
        "each call has a key of its own",
        idempotency,
        "if not idempotency_key:",
        "if True:",
        call_scripts.repeated,
    ),
    Mutant(
        "an Idempotency-Key is everybody's",
        idempotency,
        "{api_key.pk}\\n",
        "\\n",
        call_scripts.key_of_another_caller,
    ),
    Mutant(
        "an Idempotency-Key finds what was not asked for",
        asking,
        "if press.run.intent != wish.intent:",
        "if False:",
        call_scripts.key_of_another_intent,
    ),
    Mutant(
        "intents are told apart by the text alone",
        idempotency,
        "asked = [routine.pk, ",
        "asked = [",
        call_scripts.key_of_another_intent,
    ),
    Mutant(
        "attempted anew as soon as it is asked for",
        asking,
        "if since is None or since > timezone.now() or not rules.fireable(run).exists():",
        "if since is None or not rules.fireable(run).exists():",
        call_scripts.asked_again_when_it_passes,
    ),
    Mutant(
        "attempted anew, whatever came of it",
        asking,
        "if since is None or since > timezone.now() or not rules.fireable(run).exists():",
        "if False:",
        call_scripts.asked_again_when_nothing_passes,
    ),
    Mutant(
        "attempted anew in spite of our rules",
        reopening,
        "if obstacle is not None and not (waits_out and obstacle.until is not None):",
        "if False:",
        call_scripts.asked_again_of_a_closed_routine,
    ),
    Mutant(
        "attempted anew beyond the cap",
        reopening,
        "if run.api_key is not None:",
        "if False:",
        call_scripts.asked_again_beyond_the_cap,
    ),
    Mutant(
        "no cap is looked at",
        caps,
        "if oldest is not None and oldest + span > now:",
        "if False:",
        call_scripts.beyond_the_cap,
    ),
    Mutant(
        "one run more than the cap",
        caps,
        "[rest - 1 : rest]",
        "[rest : rest + 1]",
        call_scripts.without_keys_beyond_the_cap,
    ),
    Mutant(
        "a cap that is reached once is reached for ever",
        caps,
        "if oldest is not None and oldest + span > now:",
        "if oldest is not None:",
        call_scripts.beyond_the_cap,
    ),
    Mutant(
        "what never left counts for the cap",
        caps,
        ".exclude(state=State.NOT_SENT)",
        "",
        call_scripts.cancelled_below_the_cap,
    ),
    Mutant(
        "a hold makes a run of a call",
        asking,
        '"turns_away": True,',
        '"turns_away": False,',
        call_scripts.turned_away_under_a_hold,
    ),
    Mutant(
        "a revoked key is used",
        caps,
        "ApiKey.objects.usable()",
        "ApiKey.objects.all()",
        call_scripts.revoked,
    ),
    Mutant(
        "a revoked key leaves runs waiting",
        keys,
        "if not cancels_waiting:",
        "if True:",
        call_scripts.revoked_with_what_waits,
    ),
    Mutant(
        "claimed though the grant was taken away",
        queue,
        "if has_left or is_over or not rules.fireable(run).exists():",
        "if has_left:",
        call_scripts.grant_taken_away,
    ),
    Mutant(
        "any key may fire any routine",
        rules,
        "return routines.fireable_with(run.api_key)",
        "return routines",
        call_scripts.never_granted,
    ),
    Mutant(
        "a call that comes back is attempted once",
        asking,
        '"tries_again": True, ',
        "",
        call_scripts.comes_back_for_it,
    ),
    Mutant(
        "caps come before what was done already",
        accepting,
        "    except (caps.NotUsable, caps.CapReached):\n        _look_for_earlier(run)\n",
        "    except (caps.NotUsable, caps.CapReached):\n",
        call_scripts.repeated_at_the_cap_at_once,
    ),
]
