#include "proxyxai/notify/mail_queue.hpp"

#include <gtest/gtest.h>

namespace proxyxai {
namespace {

WaitingMail mail(std::uint64_t number, int due, int give_up_at = 1000) {
  WaitingMail made;
  made.number = number;
  made.due = Instant{seconds{due}};
  made.give_up_at = Instant{seconds{give_up_at}};
  return made;
}

TEST(MailQueue, GivesWhatIsDueFirstAndOfEqualsTheOldest) {
  MailQueue queue(10);
  EXPECT_EQ(queue.next_due(), std::nullopt);
  for (WaitingMail each : {mail(1, 30), mail(2, 10), mail(3, 20), mail(4, 10)}) EXPECT_FALSE(queue.put(std::move(each)));
  EXPECT_EQ(queue.next_due(), Instant{seconds{10}});
  for (const std::uint64_t number : {2, 4, 3, 1}) EXPECT_EQ(queue.take_next().number, number);
  EXPECT_EQ(queue.size(), 0u);
}

TEST(MailQueue, DropsTheOldestWhenFull) {
  MailQueue queue(2);
  EXPECT_FALSE(queue.put(mail(1, 30)));
  EXPECT_FALSE(queue.put(mail(2, 10)));
  EXPECT_EQ(queue.put(mail(3, 20))->number, 1u);
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue.take_next().number, 2u);
  EXPECT_EQ(queue.take_next().number, 3u);
}

TEST(MailQueue, MailThatComesBackGivesWayToNewerOnes) {
  MailQueue queue(2);
  for (const std::uint64_t number : {1, 2}) EXPECT_FALSE(queue.put(mail(number, 1)));
  WaitingMail first = queue.take_next();
  EXPECT_FALSE(queue.put(mail(3, 1)));
  EXPECT_EQ(queue.put(std::move(first))->number, 1u);
}

TEST(MailQueue, GivesOutExpiredMailOnly) {
  MailQueue queue(10);
  EXPECT_FALSE(queue.take_expired(Instant{seconds{9}}));
  for (WaitingMail each : {mail(1, 30, 10), mail(2, 1, 20)}) queue.put(std::move(each));
  EXPECT_FALSE(queue.take_expired(Instant{seconds{9}}));
  EXPECT_EQ(queue.take_expired(Instant{seconds{10}})->number, 1u);
  EXPECT_FALSE(queue.take_expired(Instant{seconds{10}}));
  EXPECT_EQ(queue.next_due(), Instant{seconds{1}});
}

}  // namespace
}  // namespace proxyxai
