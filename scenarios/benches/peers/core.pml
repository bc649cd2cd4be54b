/*
 * The scenario of core.rs, for SPIN. -DD=clients (1 to 8) -DT=tasks (2 to 4).
 *
 * Steps. A section under a lock is one atomic step with the lock left out where nobody is ever
 * interrupted in it: iommu_device_lock, deferred_probe_mutex and the group's mutex. Taking a
 * lock moves right and dropping it moves left (Lipton 1975), so either is one step with the one
 * access next to it that others can see: an access of a field that is not under a lock at every
 * access (dev->driver, dev->iommu_group, the trigger count, the work), or a whole section. Fields
 * that are always under a lock cost no step. That is what probe-litmus finds by itself, and a
 * little more, since it does not leave out locks.
 *
 * State. One bit a client in a byte; a list is four bits an element in an int; locals are those
 * that are alive. Processes that have ended stay, since their deletion would be a step. What is
 * true of dev->iommu_device_list forever once it is true is not asked again.
 */
#define B(i)	(1 << (i))

byte iommu, fwspec, driver, group;	/* fields of struct device */
byte platform, xdriver, late;		/* of_xlate calls without and with a driver; WARNs */
byte asks, rose;			/* who remembers deferred_trigger_count; for whom it went up */
byte device_lock;
bit probe_lock;				/* iommu_probe_device_lock */
bit listed;				/* on iommu_device_list */
bit default_domain, entry;		/* of the group */
int pending, active_;			/* the lists of deferred devices */
#if T > 2
bit work;
bit idle = 1;				/* the worker has nothing to do */
#endif
#if T > 3
byte left = 3;				/* tasks that have not ended; not the worker */
#else
byte left = 2;
#endif
hidden byte dev;			/* an argument for C */

c_decl {
\#include <stdio.h>
\#include <stdlib.h>
\#include <time.h>

	static int
	list_has(unsigned l, unsigned dev)
	{
		for (; l; l >>= 4)
			if ((l & 15) == dev + 1)
				return 1;
		return 0;
	}

	static unsigned
	list_splice(unsigned from, unsigned to)
	{
		int at = 0;
		while (to >> at)
			if ((at += 4) == 32)
				return to;
		return to | from << at;
	}

	static unsigned
	list_del(unsigned l, unsigned dev)
	{
		unsigned below = 0;
		int at;
		for (at = 0; at < 32 && l >> at; at += 4) {
			if ((l >> at & 15) == dev + 1)
				return below | (l >> at >> 4) << at;
			below |= l & 15u << at;
		}
		return l;
	}

	static void
	outcome(unsigned p, unsigned x, unsigned b, unsigned g, unsigned lists[2], unsigned w)
	{
		int i;
		printf("outcome ");
		for (i = 0; i < D; i++)
			printf("%s%d%d%c%c%c%c", i ? " " : "", p >> i & 1, x >> i & 1,
			       b >> i & 1 ? 'b' : '-', g >> i & 1 ? 'g' : '-',
			       list_has(lists[0], i) || list_has(lists[1], i) ? 'd' : '-',
			       w >> i & 1 ? 'w' : '-');
		printf("\n");
	}

	static struct timespec started;

	/* Not getrusage(), whose maximum begins with that of whoever started this. */
	static void
	print_peak(void)
	{
		char line[256];
		long peak;
		FILE *status = fopen("/proc/self/status", "r");
		while (status && fgets(line, sizeof(line), status))
			if (sscanf(line, "VmHWM: %ld kB", &peak) == 1)
				printf("maxrss %ld\n", peak);
	}

	static void
	at_exit(void)
	{
		struct timespec now;
		clock_gettime(CLOCK_MONOTONIC, &now);
		printf("seconds %.6f\n", now.tv_sec - started.tv_sec +
		       (now.tv_nsec - started.tv_nsec) / 1e9);
		print_peak();
	}

	/* Whole lines, so that nothing is lost of a run that is cut short. */
	__attribute__((constructor)) static void
	at_start(void)
	{
		clock_gettime(CLOCK_MONOTONIC, &started);
		setvbuf(stdout, NULL, _IOLBF, 1 << 16);
		atexit(at_exit);
	}
}

/* driver_deferred_probe_trigger(), but for the work */
inline trigger()
{
	rose = rose | asks;
	c_code {
		now.active_ = list_splice(now.pending, now.active_);
		now.pending = 0;
	}
}

/*
 * __driver_attach() or __device_attach() of a client, once the task may go on to it. Then its
 * local i is set to `after`, and if that is `last`, the task has ended.
 */
inline attach(may, client, after, last)
{
	atomic {
		may && !(device_lock & B(client)) ->
		if
		:: driver & B(client) -> i = after; left = left - (i == last); goto next_client
		:: else
		fi;
		d_step {
			device_lock = device_lock | B(client);
			asks = asks | B(client);
			rose = rose & ~B(client)
		}
	};

	driver = driver | B(client);

	/* of_iommu_configure() */
	atomic {
		!probe_lock ->
		if
		:: fwspec & B(client) -> goto use_default_domain
		:: else
		fi;
		if
		:: !listed -> goto defer
		:: else
		fi;
		d_step {
			fwspec = fwspec | B(client);
			assert(!((platform | xdriver) & B(client)));
			xdriver = xdriver | B(client)
		};
		if
		:: iommu & B(client) -> goto use_default_domain
		:: else -> iommu = iommu | B(client)
		fi
	};

	/* iommu_probe_device() */
	atomic {
		!probe_lock ->
		if
		:: group & B(client) -> goto use_default_domain
		:: else
		fi;
		d_step {
			probe_lock = 1;
			late = late | B(client);
			group = group | B(client)
		}
	};
	d_step {
		default_domain = 1;
		probe_lock = 0
	};

use_default_domain:
	if
	:: !(group & B(client)) -> goto bound
	:: else
	fi;
	if
	:: default_domain -> goto bound
	:: else
	fi;

defer:
	driver = driver & ~B(client);
	d_step {
		dev = client;
		c_code {
			if (!list_has(now.pending, dev) && !list_has(now.active_, dev))
				now.pending = list_splice(dev + 1, now.pending);
		}
	};
	atomic {
		asks = asks & ~B(client);
		if
		:: rose & B(client) -> rose = rose & ~B(client); goto triggers
		:: else ->
			device_lock = device_lock & ~B(client);
			i = after;
			left = left - (i == last);
			goto next_client
		fi
	};

bound:
	atomic {
		dev = client;
		c_code {
			if (list_has(now.pending, dev))
				now.pending = list_del(now.pending, dev);
			else
				now.active_ = list_del(now.active_, dev);
		}
	};

triggers:
#if T > 2
	atomic { trigger() };
	d_step {
		work = 1;
		device_lock = device_lock & ~B(client);
		i = after;
		left = left - (i == last)
	}
#else
	atomic {
		trigger();
		device_lock = device_lock & ~B(client);
		i = after;
		left = left - (i == last)
	}
#endif
}

/* iommu_device_register() */
active proctype walk()
{
	byte i;

	listed = 1;
next_client:
	do
	:: atomic {
		i < D && !probe_lock ->
		if
		:: group & B(i) -> i++; goto next_client
		:: else -> iommu = iommu | B(i)
		fi;
		if
		:: fwspec & B(i) ->
			d_step { probe_lock = 1; late = late | (driver & B(i)) };
			goto join
		:: else
		fi;
		if
		:: driver & B(i) -> iommu = iommu & ~B(i); i++; goto next_client
		:: else
		fi
	   };

	   /* of_iommu_configure() */
	   atomic {
		!probe_lock ->
		assert(iommu & B(i));
		if
		:: fwspec & B(i)
		:: else -> d_step {
			fwspec = fwspec | B(i);
			assert(!((platform | xdriver) & B(i)));
			platform = platform | (B(i) & ~driver);
			xdriver = xdriver | (B(i) & driver)
		   }
		fi
	   };

	   atomic {
		!probe_lock ->
		if
		:: group & B(i) -> i++; goto next_client
		:: else -> d_step { probe_lock = 1; late = late | (driver & B(i)) }
		fi
	   };

join:	   group = group | B(i);
	   d_step {
		if
		:: !default_domain -> entry = 1
		:: else
		fi;
		probe_lock = 0;
		i++
	   }
	:: atomic {
		i == D ->
		default_domain = default_domain | entry;
		entry = 0
	   } -> break
	od;
#if T > 2
	atomic { trigger() };
	d_step { work = 1; left-- };
#else
	atomic { trigger(); left-- };
#endif
end:	false
}

/* driver_attach() */
active proctype bind()
{
	byte i;

end:
next_client:
	do
	:: attach(i < D, i, i + 1, D)
	od
}

#if T > 2
/* deferred_probe_work_func(): i is one more than the client, 0 for none */
active proctype worker()
{
	byte i;

end:
next_client:
	do
	:: atomic { idle && work -> work = 0; idle = 0 }
	:: atomic {
		!idle && i == 0 ->
		i = active_ & 15;
		c_code { now.active_ = (unsigned) now.active_ >> 4; };
		idle = (i == 0)
	   }
	:: attach(i > 0, i - 1, 0, 255)
	od
}
#endif

#if T > 3
/* device_initial_probe(): i as before */
active proctype device_attach()
{
	byte i = D;

end:
next_client:
	do
	:: attach(i > 0, i - 1, i - 1, 0)
	od
}
#endif

/* Everything is at rest. */
active proctype rest()
{
	d_step {
#if T > 2
		left == 0 && idle && !work ->
#else
		left == 0 ->
#endif
		left = 255;
		c_code {
			unsigned lists[2] = { now.pending, now.active_ };
			outcome(now.platform, now.xdriver, now.driver, now.group, lists, now.late);
		}
	};
end:	false
}
