/* Asks every two seconds how far a job is and shows it; without this script the page has a link to look again. */
(function () {
    "use strict";

    function watch(place) {
        window.setTimeout(function () {
            fetch(place.dataset.state, { credentials: "same-origin", headers: { "X-Requested-With": "XMLHttpRequest" } })
                .then(function (answer) {
                    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
                    return answer.json();
                })
                .then(function (state) {
                    if (!state.running) { window.location.reload(); return; }
                    if (place.innerHTML !== state.html) place.innerHTML = state.html;
                    watch(place);
                })
                .catch(function () { watch(place); }); // the office restarts, or the line is down
        }, 2000);
    }

    document.querySelectorAll("[data-state]").forEach(watch);
})();
